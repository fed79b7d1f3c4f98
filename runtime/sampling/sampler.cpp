#include "runtime/sampling/sampler.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "runtime/sampling/exact_exp.h"

namespace lathe::runtime {
namespace {

absl::Status outOfRange(absl::string_view option, double value, absl::string_view range) {
  return absl::InvalidArgumentError(absl::StrCat(option, " ", value, ": must be ", range));
}

absl::Status validate(const SamplingOptions &options) {
  if (!(options.temperature >= 0) || std::isinf(options.temperature))
    return outOfRange("--temperature", options.temperature, "0 or more");
  if (options.top_k < 0)
    return outOfRange("--top-k", options.top_k, "0 or more");
  if (!(options.top_p > 0 && options.top_p <= 1))
    return outOfRange("--top-p", options.top_p, "above 0 and at most 1");
  if (!(options.min_p >= 0 && options.min_p <= 1))
    return outOfRange("--min-p", options.min_p, "from 0 to 1");
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<int32_t> sampleGreedy(absl::Span<const float> logits) {
  int32_t best = -1;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (std::isnan(logits[id]) || logits[id] == INFINITY)
      return absl::InvalidArgumentError(absl::StrCat("the logit of token ", id, " is ", logits[id],
                                                     "; the model computed nonsense"));
    if (logits[id] > (best < 0 ? -INFINITY : logits[best]))
      best = static_cast<int32_t>(id);
  }
  if (best < 0)
    return absl::InvalidArgumentError(
        absl::StrCat("none of the ", logits.size(), " logits is finite"));
  return best;
}

Sampler::Sampler(const SamplingOptions &options, int64_t vocab_size)
    : options_(options), random_(options.seed), candidates_(vocab_size) {}

absl::StatusOr<Sampler> Sampler::create(const SamplingOptions &options, int64_t vocab_size) {
  LATHE_RETURN_IF_ERROR(validate(options));
  return Sampler(options, options.temperature == 0 ? 0 : vocab_size);
}

bool Sampler::ranksBefore(const Candidate &a, const Candidate &b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

// Brings the `count` first in rank to the front, in order. Cheap for a few of many.
void Sampler::rank(size_t count) {
  auto first = candidates_.begin();
  std::nth_element(first + ranked_, first + count, first + kept_, ranksBefore);
  std::sort(first + ranked_, first + count, ranksBefore);
  ranked_ = count;
}

void Sampler::keepTopK() {
  size_t top_k = options_.top_k;
  if (top_k == 0 || top_k >= kept_)
    return;
  rank(top_k);
  kept_ = top_k;
}

// The sum of the weights.
double Sampler::weigh(float highest) {
  double total = 0;
  for (size_t i = 0; i < kept_; ++i) {
    double distance = static_cast<double>(candidates_[i].logit) - highest;
    total += candidates_[i].weight = exactExp(distance / options_.temperature);
  }
  return total;
}

// Ranks more and more of the candidates until enough of them are in order: for most distributions
// a few dozen of a hundred thousand.
void Sampler::keepTopP(double total) {
  if (options_.top_p >= 1)
    return;
  double sum = 0;
  for (size_t i = 0; i < kept_; ++i) {
    if (i == ranked_)
      rank(std::min(kept_, std::max<size_t>(64, 4 * ranked_)));
    sum += candidates_[i].weight;
    if (sum >= options_.top_p * total)
      kept_ = i + 1;
  }
  ranked_ = std::min(ranked_, kept_);
}

void Sampler::keepMinP() {
  if (options_.min_p == 0)
    return;
  // The likeliest has weight 1.
  auto unlikely = [&](const Candidate &candidate) { return candidate.weight < options_.min_p; };
  auto end = candidates_.begin() + kept_;
  kept_ = std::remove_if(candidates_.begin(), end, unlikely) - candidates_.begin();
}

int32_t Sampler::draw() {
  double total = 0;
  for (size_t i = 0; i < kept_; ++i)
    total += candidates_[i].weight;
  double target = static_cast<double>(random_() >> 11) * 0x1p-53 * total, sum = 0;
  for (size_t i = 0; i + 1 < kept_; ++i) {
    sum += candidates_[i].weight;
    if (sum > target)
      return candidates_[i].id;
  }
  return candidates_[kept_ - 1].id;
}

absl::StatusOr<int32_t> Sampler::sample(absl::Span<const float> logits) {
  LATHE_ASSIGN_OR_RETURN(int32_t best, sampleGreedy(logits));
  if (options_.temperature == 0)
    return best;
  if (logits.size() != candidates_.size())
    return absl::InvalidArgumentError(absl::StrCat(
        "there are ", logits.size(), " logits; the sampler was made for ", candidates_.size()));
  for (size_t id = 0; id < logits.size(); ++id)
    candidates_[id] = {0, logits[id], static_cast<int32_t>(id)};
  kept_ = logits.size();
  ranked_ = 0;
  keepTopK();
  double total = weigh(logits[best]);
  keepTopP(total);
  keepMinP();
  return draw();
}

} // namespace lathe::runtime
