// A process that judges cases for another one: what crashes or hangs there is a failure of one case
// here.
#pragma once

#include <string>

#include "tests/conformance/run/judge.h"

namespace lathe::conformance {

struct WorkOptions {
  TargetOptions target;
  uint64_t seed = 1;
};

// The worker's side: reads batches of indices from `orders`, a line each, and writes a JSON object
// a line to `reports`: {"ready": true} once, or {"fatal": "..."}; then of each case {"begin": 3}
// and {"end": 3, ...}; {"ready": true} again after each batch. Returns at the end of the orders.
void work(const Cases &cases, const WorkOptions &options, int orders, int reports);

} // namespace lathe::conformance
