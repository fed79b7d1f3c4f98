// How fast a model runs, and how far that is from what the machine allows.
//
// The bound of a decoded token is a sum of two. Products with weights and attention over caches
// take turns, layer by layer, and each waits for the other: their times add up. Within either,
// memory is read while something else is computed: of bytes over read bandwidth and FLOPs over the
// rate of the target's fastest arithmetic, the larger counts. FLOPs are those of the formulas; who
// computes f32 on tiles needs several products for each, and that is distance from the bound, not
// part of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/bench/limits.h"
#include "runtime/export.h"
#include "runtime/session/session.h"

namespace lathe::runtime {

struct BenchOptions {
  int64_t prompt_length = 512; // tokens of a timed prefill; 0: no prefill
  int64_t decode = 64;         // tokens of a timed decode; 0: no decode
  int64_t depth = 0;           // tokens in the context before either
  int repetitions = 3;
};

// What one decoded token does in one of the two parts.
struct LATHE_RUNTIME_API TokenWork {
  uint64_t bytes = 0; // that it reads
  double flops = 0;
  double leastSeconds(const Limits &limits) const;
};

// A measured time beside its bound, seconds of one decoded token.
struct Bounded {
  double seconds = 0, least = 0;
  double ratio() const { return seconds / least; }
};

struct LATHE_RUNTIME_API BenchResult {
  // Tokens a second, one for each repetition. At the start: the same decode in an empty context,
  // where there is a depth to compare it with.
  std::vector<double> prefill_rates, decode_rates, start_rates;
  double prefill_rate = 0, decode_rate = 0, start_rate = 0; // medians
  // Of a token in the middle of the decode; FLOPs of weights are 0 where the artifact does not say.
  TokenWork weights, cache, cache_at_start;

  uint64_t bytesPerToken() const { return weights.bytes + cache.bytes; }
  // Share of `bandwidth` (bytes a second) that the decode used; 0 where that is 0.
  double bandwidthShare(double bandwidth) const;

  // Nothing where FLOPs or their rate are not known, or nothing was decoded.
  std::optional<Bounded> decodeBound(const Limits &limits) const;
  // Of what the keys cost by which the decode saw more than at the start: the difference of the two
  // decodes. Nothing where there was no start, or no difference.
  std::optional<Bounded> attentionBound(const Limits &limits) const;
};

// Feeds synthetic tokens (spread over the vocabulary, the same in each run) into an empty context.
// OUT_OF_RANGE where depth, prompt and decode together do not fit.
LATHE_RUNTIME_API absl::StatusOr<BenchResult> benchmark(Session &session,
                                                        const BenchOptions &options);

// The regions of a step with one label: what a step spends its time on.
struct RegionTime {
  std::string label; // "linear 2048x1408 f8e4m3"
  int64_t calls = 0;
  double seconds = 0; // from the end of the region before it: the barrier and the walk count, too
};

struct LATHE_RUNTIME_API Profile {
  std::vector<RegionTime> prefill, decode; // the slowest first; of all tokens of either
};

// As one repetition of benchmark(), observed. Empty where the device knows no regions.
LATHE_RUNTIME_API absl::StatusOr<Profile> profile(Session &session, const BenchOptions &options);

} // namespace lathe::runtime
