// Steps of a language model by the kernels that the code generator takes, beside what was published
// of other kernels for the same work. Tier 3: for comparison, not to be met.
#pragma once

#include "kernels/latent_decode.h"
#include "programs/time_of.h"

namespace npu {

// Latent attention with conversations as long as max_context, one a slot; each has the same number
// of tokens, its last ones. plan.splits is the caller's.
Result<Report> latentTime(std::string_view device, const kernels::LatentDecodePlan &plan);

Comparisons flashAttention();  // V13
Comparisons latentAttention(); // V17
Comparisons decodeProducts();  // V19

} // namespace npu
