#include "tools/lathe/sampling_flags.h"

#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

bool asksForSampling(const SamplingFlags &flags) {
  return flags.temperature || flags.top_p || flags.min_p || flags.top_k || flags.seed;
}

// The manifest has NaN or 0 where the generation config says nothing.
double orElse(double value, double otherwise) { return value > 0 ? value : otherwise; }

} // namespace

void addSamplingFlags(CLI::App &app, SamplingFlags &flags) {
  addSwitch(app, "--greedy", flags.greedy, "always take the likeliest token");
  addReal(app, "--temperature", flags.temperature,
          "sample; below 1 bolder choices get rarer, 0 is greedy");
  addWhole(app, "--top-k", flags.top_k, {0, INT32_MAX}, "sample of the N likeliest (0: of all)");
  addReal(app, "--top-p", flags.top_p, "sample of the likeliest that sum up to this probability");
  addReal(app, "--min-p", flags.min_p, "sample of those with this share of the best probability");
  addWhole(app, "--seed", flags.seed, {}, "seed of the samples (0): the same seed, the same text");
}

absl::Status checkSamplingFlags(const SamplingFlags &flags) {
  if (flags.greedy && asksForSampling(flags))
    return usageError("--greedy takes no choice, so it goes with none of --temperature, --top-k, "
                      "--top-p, --min-p and --seed");
  return absl::OkStatus();
}

runtime::SamplingOptions samplingOptions(const SamplingFlags &flags,
                                         const artifact::Manifest &manifest) {
  runtime::SamplingOptions options;
  bool model_samples = manifest.temperature > 0;
  if (flags.greedy || !(model_samples || asksForSampling(flags)))
    return options;
  options.temperature = flags.temperature.value_or(orElse(manifest.temperature, 1));
  options.top_k = static_cast<int32_t>(flags.top_k.value_or(manifest.top_k));
  options.top_p = flags.top_p.value_or(orElse(manifest.top_p, 1));
  options.min_p = flags.min_p.value_or(0);
  options.seed = static_cast<uint64_t>(flags.seed.value_or(0));
  return options;
}

} // namespace lathe::cli
