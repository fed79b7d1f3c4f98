// The answer to whether an op is taken, and what it will cost.
#pragma once

#include "compile/lower.h"

namespace onednn {

struct Verdict {
  uint32_t verdict = LATHE_SUPPORT_YES, reason = LATHE_REASON_NONE;
  double seconds = 0;
  std::string text;
};

// For `rows` new tokens, of which each sees `keys` of a cache.
Verdict judge(const lathe_op *op, Products products, int64_t rows, int64_t keys);

} // namespace onednn
