// What a benchmark feeds.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/bench/bench.h"
#include "runtime/session/session.h"

namespace lathe::runtime {

// The tokens of the depth, of the prompt and of the decode, one after the other.
// INVALID_ARGUMENT where there is nothing to do, OUT_OF_RANGE where they do not fit.
absl::StatusOr<std::vector<int32_t>> workload(const Session &session, const BenchOptions &options);

// Leaves these tokens, which may be none, in the context, and nothing else.
absl::Status enterDepth(Session &session, absl::Span<const int32_t> tokens);

// The same for tokens that the session may have fed already, and others behind them: those are
// forgotten where the state can go back, which is quicker than to feed a long context again.
absl::Status returnToDepth(Session &session, absl::Span<const int32_t> tokens);

// Brings pages of weights and buffers into memory, which is no part of the speed.
absl::Status warmUp(Session &session, absl::Span<const int32_t> tokens);

} // namespace lathe::runtime
