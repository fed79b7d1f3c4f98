// Runs a step: the table of regions in order, each between two barriers of the host's pool.
#pragma once

#include "backends/x86/kernels/frame.h"
#include "runtime/abi/cpu_executable.h"

namespace lathe::x86 {

// A step's tables, as the code generator lays them out.
struct Step {
  Task *const *tasks;
  const Region *regions;
  int64_t region_count;
  const int64_t *operands;
  const void *constants;     // becomes Buffer::constants
  const char *const *labels; // of the tasks, for an observer
};

} // namespace lathe::x86

// A region that is `serial` or has a single item runs on the caller without a barrier; a run of
// regions of which all but the first are `joined` shares one, and an observer hears of the first.
extern "C" void lathe_x86_run(const lathe_cpu_call *call, const lathe::x86::Step *step);
