// Chooses the next token from logits. Given the same logits, options and number of earlier draws, the
// choice is the same on every machine.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/export.h"

namespace lathe::runtime {

// In the order in which they apply, which is Hugging Face's: temperature, top_k, top_p, min_p.
struct SamplingOptions {
  double temperature = 0; // 0: greedy, the rest is then ignored
  int32_t top_k = 0;      // keep this many of the likeliest; 0: all
  double top_p = 1;       // keep the fewest likeliest whose probabilities sum to this or more; 1: all
  double min_p = 0;       // keep those with at least this share of the likeliest one's probability
  uint64_t seed = 0;
};

absl::Status validateSampling(const SamplingOptions &options);

// The highest logit; the lower id where several are equal. INVALID_ARGUMENT: a NaN, or +infinity.
LATHE_RUNTIME_API absl::StatusOr<int32_t> sampleGreedy(absl::Span<const float> logits);

// Not thread-safe. Allocates in create() only. Randomness: std::mt19937_64 seeded with `seed` (the
// standard pins its output); one draw for each token that is not greedy, its upper 53 bits as a
// number in [0, 1). Candidates stand in order of falling logit, then rising id; probabilities are
// summed in double in that order, with an own exp that no libm can change.
class LATHE_RUNTIME_API Sampler {
public:
  static absl::StatusOr<Sampler> create(const SamplingOptions &options, int64_t vocab_size);

  // `logits` [vocab_size].
  absl::StatusOr<int32_t> sample(absl::Span<const float> logits);

private:
  struct Candidate {
    float logit;
    int32_t id;
  };

  Sampler(const SamplingOptions &options, int64_t vocab_size);
  void loadCandidates(absl::Span<const float> logits);
  void orderFirst(size_t count);
  double weightOf(const Candidate &candidate) const;
  size_t keepTopP(double total);
  size_t keepMinP(size_t count) const;
  int32_t draw(size_t count);

  SamplingOptions options_;
  std::mt19937_64 random_;
  std::vector<Candidate> candidates_;
  size_t ordered_ = 0; // candidates_[0, ordered_) are the likeliest, in order
  float highest_ = 0;
};

} // namespace lathe::runtime
