// How the next token is chosen: by flags, over what the model's generation config says.
#pragma once

#include "absl/status/status.h"

#include "artifact/manifest.h"
#include "runtime/sampling/sampler.h"
#include "tools/lathe/flags.h"

namespace lathe::cli {

struct SamplingFlags {
  bool greedy = false;
  std::optional<double> temperature, top_p, min_p;
  std::optional<int64_t> top_k, seed;
};

void addSamplingFlags(CLI::App &app, SamplingFlags &flags);

// A usage error where --greedy stands beside a flag of sampling.
absl::Status checkSamplingFlags(const SamplingFlags &flags);

// Without flags: the model's own way, which is greedy unless its generation config samples. A flag
// of sampling switches sampling on, at temperature 1 where neither flags nor model name one; what
// it does not set is the model's.
runtime::SamplingOptions samplingOptions(const SamplingFlags &flags,
                                         const artifact::Manifest &manifest);

} // namespace lathe::cli
