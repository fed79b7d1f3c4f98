// Steps of a language model by the kernels that the code generator takes, beside what was published
// of other kernels for the same work. Tier 3: for comparison, not to be met.
#pragma once

#include "programs/time_of.h"

namespace npu {

Comparisons flashAttention();  // V13
Comparisons latentAttention(); // V17
Comparisons decodeProducts();  // V19

} // namespace npu
