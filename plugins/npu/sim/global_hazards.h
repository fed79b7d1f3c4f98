// Races on global memory, between pipes and between cores: two accesses to one byte, one of them a
// write, that no chain of flags orders. Looked for once all cores have met or ended, since the
// answer does not depend on the order in which they ran.
#pragma once

#include "sim/core.h"

namespace npu {

Status findGlobalHazard(const LaunchContext &launch, const std::vector<const Core *> &cores);

} // namespace npu
