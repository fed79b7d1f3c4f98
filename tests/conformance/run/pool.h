// Many cases over a few workers.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"

#include "tests/conformance/run/worker.h"

namespace lathe::conformance {

struct PoolOptions {
  WorkOptions work;
  int workers = 2;
  double limit = 60; // seconds that a case may take, and that a target may take to open
};

// Told of each case that has come to its end.
using Finished = std::function<void(const Outcome &outcome)>;

// Outcomes of `indices`, in their order. FAILED_PRECONDITION: the target cannot be opened. Forks:
// call it from a process of one thread.
absl::StatusOr<std::vector<Outcome>> judgeAll(const Cases &cases,
                                              const std::vector<size_t> &indices,
                                              const PoolOptions &options, const Finished &finished);

} // namespace lathe::conformance
