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

// What one token reads of the state when `tokens` are in the context; a window is never more than
// full.
uint64_t stateBytesRead(const artifact::Manifest &manifest, uint64_t tokens) {
  uint64_t bytes = 0;
  for (const artifact::StateEntry &entry : manifest.state) {
    uint64_t whole = entry.bytes / manifest.num_slots;
    bool per_token = entry.bytes_per_token > 0;
    bytes += per_token ? std::min(whole, entry.bytes_per_token * tokens) : whole;
  }
  return bytes;
}

absl::Status repetition(Session &session, const BenchOptions &options,
                        absl::Span<const int32_t> tokens, BenchResult &result) {
  LATHE_RETURN_IF_ERROR(enterDepth(session, tokens.first(options.depth)));
  auto prompt = tokens.subspan(options.depth, options.prompt_length);
  auto start = Clock::now();
  if (!prompt.empty()) {
    LATHE_RETURN_IF_ERROR(session.feed(prompt));
    result.prefill_rates.push_back(rate(prompt.size(), start));
  }
  start = Clock::now();
  for (int32_t token : tokens.subspan(options.depth + options.prompt_length))
    LATHE_RETURN_IF_ERROR(session.feed({&token, 1}));
  if (options.decode > 0)
    result.decode_rates.push_back(rate(options.decode, start));
  return absl::OkStatus();
}

} // namespace

double BenchResult::bandwidthShare(double bandwidth) const {
  double bytes = static_cast<double>(weight_bytes_per_token + state_bytes_per_token);
  return bandwidth > 0 ? bytes * decode_rate / bandwidth : 0;
}

absl::StatusOr<BenchResult> benchmark(Session &session, const BenchOptions &options) {
  LATHE_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, workload(session, options));
  const artifact::Manifest &manifest = session.module().manifest();
  LATHE_RETURN_IF_ERROR(warmUp(session, tokens));
  BenchResult result;
  for (int i = 0; i < options.repetitions; ++i)
    LATHE_RETURN_IF_ERROR(repetition(session, options, tokens, result));
  result.prefill_rate = median(result.prefill_rates);
  result.decode_rate = median(result.decode_rates);
  result.weight_bytes_per_token = manifest.active_weight_bytes;
  result.state_bytes_per_token =
      stateBytesRead(manifest, options.depth + options.prompt_length + options.decode / 2);
  return result;
}

} // namespace lathe::runtime
