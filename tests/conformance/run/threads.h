// Results may not depend on how many threads a host has.
#pragma once

#include "tests/conformance/run/pool.h"

namespace lathe::conformance {

// As judgeAll with the first of `threads` host threads; then the same cases with each other number,
// where another bit in a result is a failure. `finished` is told of each case each time.
absl::StatusOr<std::vector<Outcome>>
judgeWithThreads(const Cases &cases, const std::vector<size_t> &indices, PoolOptions options,
                 const std::vector<int> &threads, const Finished &finished);

} // namespace lathe::conformance
