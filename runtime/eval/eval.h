// How well a model predicts a text: mean negative log likelihood in nats per token.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/export.h"
#include "runtime/session/session.h"

namespace lathe::runtime {

struct EvalOptions {
  int64_t window = 0;        // N, BOS included; 0: the context length
  int32_t bos_token_id = -1; // -1: the model has none
};

struct EvalResult {
  double mean_nll = 0;   // nats per token
  double perplexity = 0; // exp(mean_nll)
  int64_t tokens = 0;    // that were predicted
};

using EvalProgress = absl::FunctionRef<void(int64_t done, int64_t total)>;

// `tokens` is the text without special tokens. It is cut into windows of N-1 tokens, the last one
// shorter; each is fed into an empty context behind a BOS. The mean is over all those tokens.
// Without a BOS the first token of a window has nothing in front of it and is not counted.
LATHE_RUNTIME_API absl::StatusOr<EvalResult> evaluate(Session &session,
                                                      absl::Span<const int32_t> tokens,
                                                      const EvalOptions &options,
                                                      EvalProgress progress);

// -log(softmax(logits)[token]), in double.
LATHE_RUNTIME_API double negativeLogLikelihood(absl::Span<const float> logits, int32_t token);

} // namespace lathe::runtime
