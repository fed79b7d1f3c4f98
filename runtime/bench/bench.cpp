#include "runtime/bench/bench.h"

#include <algorithm>
#include <chrono>

#include "base/status.h"
#include "runtime/bench/workload.h"

namespace lathe::runtime {
namespace {

using Clock = std::chrono::steady_clock;

double rate(int64_t tokens, Clock::time_point start) {
  return tokens / std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// That a token sees when `tokens` are in the context; a window is never more than full.
uint64_t keysSeen(const artifact::StateEntry &entry, uint64_t slots, uint64_t tokens) {
  uint64_t room = entry.bytes / slots / entry.bytes_per_token;
  return std::min({tokens, room, entry.window > 0 ? entry.window : tokens});
}

TokenWork cacheWork(const artifact::Manifest &manifest, uint64_t tokens) {
  TokenWork work;
  for (const artifact::StateEntry &entry : manifest.state) {
    if (entry.bytes_per_token == 0) {
      work.bytes += entry.bytes / manifest.num_slots; // not kept token by token: read whole
      continue;
    }
    uint64_t keys = keysSeen(entry, manifest.num_slots, tokens);
    work.bytes += entry.bytes_per_token * keys;
    work.flops += static_cast<double>(entry.flops_per_key) * static_cast<double>(keys);
  }
  return work;
}

// Appends the rate of what is fed, all at once or token by token. Nothing fed, nothing appended.
absl::Status timedFeed(Session &session, absl::Span<const int32_t> tokens, size_t step,
                       std::vector<double> &rates) {
  auto start = Clock::now();
  for (size_t at = 0; at < tokens.size(); at += step)
    LATHE_RETURN_IF_ERROR(session.feed(tokens.subspan(at, step)));
  if (!tokens.empty())
    rates.push_back(rate(tokens.size(), start));
  return absl::OkStatus();
}

absl::Status repetition(Session &session, const BenchOptions &options,
                        absl::Span<const int32_t> tokens, BenchResult &result) {
  auto prompt = tokens.subspan(options.depth, options.prompt_length);
  auto decode = tokens.subspan(options.depth + options.prompt_length);
  LATHE_RETURN_IF_ERROR(returnToDepth(session, tokens.first(options.depth)));
  LATHE_RETURN_IF_ERROR(
      timedFeed(session, prompt, std::max<size_t>(prompt.size(), 1), result.prefill_rates));
  return timedFeed(session, decode, 1, result.decode_rates);
}

absl::Status decodeAtStart(Session &session, absl::Span<const int32_t> tokens,
                           BenchResult &result) {
  LATHE_RETURN_IF_ERROR(enterDepth(session, {}));
  return timedFeed(session, tokens, 1, result.start_rates);
}

} // namespace

double TokenWork::leastSeconds(const Limits &limits) const {
  return std::max(static_cast<double>(bytes) / limits.read_bandwidth, flops / limits.flops);
}

double BenchResult::bandwidthShare(double bandwidth) const {
  return bandwidth > 0 ? static_cast<double>(bytesPerToken()) * decode_rate / bandwidth : 0;
}

std::optional<Bounded> BenchResult::decodeBound(const Limits &limits) const {
  if (weights.flops == 0 || limits.flops == 0 || decode_rate == 0)
    return std::nullopt;
  return Bounded{1 / decode_rate, weights.leastSeconds(limits) + cache.leastSeconds(limits)};
}

std::optional<Bounded> BenchResult::attentionBound(const Limits &limits) const {
  if (!decodeBound(limits) || start_rate == 0)
    return std::nullopt;
  Bounded more{1 / decode_rate - 1 / start_rate,
               cache.leastSeconds(limits) - cache_at_start.leastSeconds(limits)};
  return more.seconds > 0 && more.least > 0 ? std::optional(more) : std::nullopt;
}

absl::StatusOr<BenchResult> benchmark(Session &session, const BenchOptions &options) {
  LATHE_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, workload(session, options));
  const artifact::Manifest &manifest = session.module().manifest();
  LATHE_RETURN_IF_ERROR(warmUp(session, tokens));
  BenchResult result;
  for (int i = 0; i < options.repetitions; ++i)
    LATHE_RETURN_IF_ERROR(repetition(session, options, tokens, result));
  // Behind all of them, since it writes over the depth, which is fed once.
  auto decode = absl::MakeSpan(tokens).subspan(options.depth + options.prompt_length);
  for (int i = 0; options.depth > 0 && i < options.repetitions; ++i)
    LATHE_RETURN_IF_ERROR(decodeAtStart(session, decode, result));
  result.prefill_rate = median(result.prefill_rates);
  result.decode_rate = median(result.decode_rates);
  result.start_rate = median(result.start_rates);
  int64_t middle = options.decode / 2;
  result.weights = {manifest.active_weight_bytes, static_cast<double>(manifest.decode_flops)};
  result.cache = cacheWork(manifest, options.depth + options.prompt_length + middle);
  result.cache_at_start = cacheWork(manifest, middle);
  return result;
}

} // namespace lathe::runtime
