// Runs a step: the table of regions in order, each between two barriers of the host's pool.
#pragma once

#include "backends/x86/kernels/frame.h"
#include "runtime/abi/cpu_executable.h"

// A region that is `serial` or has a single item runs on the caller without a barrier; a run of
// regions of which all but the first are `joined` shares one. `constants` becomes Buffer::constants.
extern "C" void lathe_x86_run(const lathe_cpu_call *call, const lathe::x86::Region *regions, int64_t count,
                              const void *constants);
