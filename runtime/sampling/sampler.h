// Chooses the next token from logits. Given the same logits, options and number of earlier draws,
// the choice is the same on every machine.
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
  double top_p = 1; // keep the fewest likeliest whose probabilities sum to this or more; 1: all
  double min_p = 0; // keep those with at least this share of the likeliest one's probability
  uint64_t seed = 0;
};

// The highest logit; the lower id where several are equal. INVALID_ARGUMENT: a NaN, +infinity, or
// no finite logit at all.
LATHE_RUNTIME_API absl::StatusOr<int32_t> sampleGreedy(absl::Span<const float> logits);

// Not thread-safe. Allocates in create() only. Randomness: std::mt19937_64 seeded with `seed` (the
// standard pins its output); one draw for each token that is not greedy, its upper 53 bits as a
// number u in [0, 1). Candidates are ranked by falling logit, then by rising id. The first one is
// taken whose probabilities up to it sum to more than u: in the order of rank where top_k or top_p
// is set, in the order of ids otherwise. Sums are in double, with an exp that no libm can change.
class LATHE_RUNTIME_API Sampler {
public:
  // INVALID_ARGUMENT: an option out of its range; the message says which.
  static absl::StatusOr<Sampler> create(const SamplingOptions &options, int64_t vocab_size);

  // `logits` [vocab_size]; errors as sampleGreedy.
  absl::StatusOr<int32_t> sample(absl::Span<const float> logits);

private:
  struct Candidate {
    double weight; // its probability times a constant
    float logit;
    int32_t id;
  };

  Sampler(const SamplingOptions &options, int64_t vocab_size);
  static bool ranksBefore(const Candidate &a, const Candidate &b);
  void rank(size_t count);
  double weigh(float highest);
  void keepTopK();
  void keepTopP(double total);
  void keepMinP();
  int32_t draw();

  SamplingOptions options_;
  std::mt19937_64 random_;
  std::vector<Candidate> candidates_; // as many as the vocabulary has
  size_t kept_ = 0;                   // the first of them are still in the race
  size_t ranked_ = 0;                 // of those, so many are in the order of rank
};

} // namespace lathe::runtime
