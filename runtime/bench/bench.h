// How fast a model runs, and how far that is from what the memory allows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/export.h"
#include "runtime/session/session.h"

namespace lathe::runtime {

// The best of `repetitions` plain reads of a buffer of `bytes` by `threads` threads, bytes a
// second. The buffer should be much larger than the last-level cache.
LATHE_RUNTIME_API absl::StatusOr<double> measureReadBandwidth(int threads, uint64_t bytes,
                                                              int repetitions);
// Bytes of a buffer for that: four times the largest cache, at least 1 GiB, at most an eighth of
// `memory_bytes`.
LATHE_RUNTIME_API uint64_t bandwidthBytes(uint64_t memory_bytes);

// What a decode of this model can read at most, bytes a second: that of plain reads of its weights
// where they lie, since memory is not the same everywhere (nodes, pages of a virtual machine). A
// buffer stands in for weights that a cache could hold, or that leave the memory no room.
LATHE_RUNTIME_API absl::StatusOr<double> measureReadBandwidth(const Module &module);

struct BenchOptions {
  int64_t prompt_length = 512; // tokens of a timed prefill; 0: no prefill
  int64_t decode = 64;         // tokens of a timed decode; 0: no decode
  int64_t depth = 0;           // tokens in the context before either
  int repetitions = 3;
};

struct LATHE_RUNTIME_API BenchResult {
  std::vector<double> prefill_rates, decode_rates; // tokens a second, one for each repetition
  double prefill_rate = 0, decode_rate = 0;        // medians
  // Bytes that one decoded token reads: active weights, and the state at the middle of the decode.
  uint64_t weight_bytes_per_token = 0, state_bytes_per_token = 0;
  // Share of `bandwidth` (bytes a second) that the decode used; 0 where that is 0.
  double bandwidthShare(double bandwidth) const;
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
