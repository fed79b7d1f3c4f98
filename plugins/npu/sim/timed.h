// Runs a launch in time: one deterministic event loop over all cores. An instruction takes effect
// when it ends, so what a missing flag spoils on the chip is spoiled here too (if checks are off).
#pragma once

#include "sim/core.h"
#include "trace/report.h"

namespace npu {

Status runTimed(const LaunchContext &launch, std::vector<std::vector<CoreMemory>> &memories,
                bool trace, Report &report);

} // namespace npu
