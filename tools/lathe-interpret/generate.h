// A model over tokens: logits, greedy continuation, likelihood of a text.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "backends/reference/model_runner.h"

namespace lathe::interpret {

struct Generated {
  std::vector<int32_t> ids; // all that were fed
  std::vector<int32_t> continuation;
  reference::Tensor logits; // a row for each that was fed
};

// Feeds `tokens` in steps of `chunk` (0: one step), then `greedy` times the likeliest next token.
// The last of those is not fed. Errors of the run have been emitted as diagnostics.
absl::StatusOr<Generated> generate(reference::ModelRunner &runner,
                                   const std::vector<int32_t> &tokens, size_t chunk,
                                   int64_t greedy);

// safetensors with `input_ids` i64 [T] and `logits` f32 [T, V].
absl::Status dumpLogits(const std::string &path, const Generated &generated);

struct Likelihood {
  double nats_per_token = 0;
  int64_t tokens = 0;
};
// Cuts `ids` into windows of window - 1 tokens, each after `bos` (none if negative), and takes the
// mean negative log likelihood of all those tokens, each window being a sequence of its own.
// Progress goes to standard error.
absl::StatusOr<Likelihood> likelihood(reference::ModelRunner &runner,
                                      const std::vector<int32_t> &ids, int32_t bos, int64_t window);

} // namespace lathe::interpret
