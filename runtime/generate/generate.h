// The loop of text generation: prompt in, token after token out.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/export.h"
#include "runtime/sampling/sampler.h"
#include "runtime/session/session.h"

namespace lathe::runtime {

struct GenerateOptions {
  int64_t max_new = 256;              // 0: only the prompt is fed
  std::vector<int32_t> eos_token_ids; // generation ends with one of them; it is not given out
  SamplingOptions sampling;
  const std::atomic<bool> *stop = nullptr; // Ctrl-C: ends after the running step; may be nullptr
  // Sees the logits [vocab_size] of every token that is fed, in order; may be empty.
  std::function<void(absl::Span<const float>)> on_row;
};

enum class StopReason { max_new, eos, context_full, callback, stopped };
LATHE_RUNTIME_API const char *stopReasonName(StopReason reason);

struct GenerateStats {
  int64_t prompt_tokens = 0, new_tokens = 0;
  double load_seconds = 0;
  double prefill_seconds = 0;     // of feeding the prompt
  double first_token_seconds = 0; // TTFT: from the call to the first token
  double decode_seconds = 0;      // from the first token to the last
  double prefillRate() const { return prefill_seconds > 0 ? prompt_tokens / prefill_seconds : 0; }
  double decodeRate() const { return decode_seconds > 0 ? (new_tokens - 1) / decode_seconds : 0; }
};

struct GenerateResult {
  std::vector<int32_t> tokens; // without the eos token
  StopReason reason = StopReason::max_new;
  GenerateStats stats;
};

// Sees each new token as it is chosen; false ends the generation (a stop text was found).
using TokenCallback = absl::FunctionRef<bool(int32_t token)>;

// Appends the prompt to what the session holds already. The last token given out was not fed: who
// goes on with the conversation feeds it with the next prompt.
LATHE_RUNTIME_API absl::StatusOr<GenerateResult> generate(Session &session,
                                                          absl::Span<const int32_t> prompt,
                                                          const GenerateOptions &options,
                                                          TokenCallback on_token);

} // namespace lathe::runtime
