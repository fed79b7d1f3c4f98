#include "runtime/generate/generate.h"

#include <algorithm>
#include <chrono>

#include "base/status.h"

namespace lathe::runtime {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool isSet(const std::atomic<bool> *stop) { return stop && stop->load(std::memory_order_relaxed); }

// Feeds tokens; says whether generation can go on. A stop in the middle of it is no error.
absl::StatusOr<bool> feedUnlessStopped(Session &session, absl::Span<const int32_t> tokens,
                                       const GenerateOptions &options) {
  auto sink = [&](size_t, absl::Span<const float> row) { options.on_row(row); };
  absl::Status status = options.on_row ? session.feedAll(tokens, sink) : session.feed(tokens);
  if (absl::IsCancelled(status))
    return false;
  LATHE_RETURN_IF_ERROR(status);
  return true;
}

// Decodes until something ends it. The prompt is fed, so that session.logits() are there.
absl::StatusOr<StopReason> decodeLoop(Session &session, const GenerateOptions &options,
                                      Sampler &sampler, TokenCallback on_token,
                                      Clock::time_point start, GenerateResult &result) {
  Clock::time_point first;
  const std::vector<int32_t> &eos = options.eos_token_ids;
  while (static_cast<int64_t>(result.tokens.size()) < options.max_new) {
    if (isSet(options.stop))
      return StopReason::stopped;
    LATHE_ASSIGN_OR_RETURN(int32_t token, sampler.sample(session.logits()));
    if (result.tokens.empty()) {
      first = Clock::now();
      result.stats.first_token_seconds = secondsSince(start);
    }
    if (std::find(eos.begin(), eos.end(), token) != eos.end())
      return StopReason::eos;
    result.tokens.push_back(token);
    result.stats.decode_seconds = secondsSince(first);
    if (!on_token(token))
      return StopReason::callback;
    if (static_cast<int64_t>(result.tokens.size()) == options.max_new)
      break; // its successor is not wanted, so it need not be run
    if (session.remaining() == 0)
      return StopReason::context_full;
    LATHE_ASSIGN_OR_RETURN(bool fed, feedUnlessStopped(session, {&token, 1}, options));
    if (!fed)
      return StopReason::stopped;
  }
  return StopReason::max_new;
}

} // namespace

const char *stopReasonName(StopReason reason) {
  switch (reason) {
  case StopReason::max_new: return "max_new";
  case StopReason::eos: return "eos";
  case StopReason::context_full: return "context_full";
  case StopReason::callback: return "callback";
  case StopReason::stopped: return "stopped";
  }
  return "stopped";
}

absl::StatusOr<GenerateResult> generate(Session &session, absl::Span<const int32_t> prompt,
                                        const GenerateOptions &options, TokenCallback on_token) {
  if (options.max_new < 0)
    return absl::InvalidArgumentError(
        absl::StrCat("--max-new ", options.max_new, ": must be 0 or more"));
  LATHE_ASSIGN_OR_RETURN(Sampler sampler,
                         Sampler::create(options.sampling, session.module().manifest().vocab_size));
  GenerateResult result;
  result.stats.load_seconds = session.module().loadSeconds();
  result.tokens.reserve(std::min<int64_t>(options.max_new, 4096));
  Clock::time_point start = Clock::now();
  int64_t before = session.position();
  LATHE_ASSIGN_OR_RETURN(bool fed, feedUnlessStopped(session, prompt, options));
  result.stats.prompt_tokens = session.position() - before;
  result.stats.prefill_seconds = secondsSince(start);
  result.reason = StopReason::stopped;
  if (fed) {
    LATHE_ASSIGN_OR_RETURN(result.reason,
                           decodeLoop(session, options, sampler, on_token, start, result));
  }
  result.stats.new_tokens = result.tokens.size();
  return result;
}

} // namespace lathe::runtime
