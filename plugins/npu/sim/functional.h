// Runs a launch for its results only: each core as far as it comes, in program order, block by
// block on the threads that there are. Flags are obeyed, time is not known.
#pragma once

#include "sim/core.h"

#include <functional>

namespace npu {

// Runs work(0) ... work(count - 1), on any threads.
using ParallelFor = std::function<void(unsigned count, const std::function<void(unsigned)> &work)>;

// `memories` holds the core memories of each group: aic first, then aiv.
Status runFunctional(const LaunchContext &launch, std::vector<std::vector<CoreMemory>> &memories,
                     const ParallelFor &parallelFor);

// The cores of one block on the memories of one group.
std::vector<std::unique_ptr<Core>> makeCores(const LaunchContext &launch, unsigned block,
                                             std::vector<CoreMemory> &memories);

Error deadlock(const LaunchContext &launch, const std::vector<const Core *> &cores);

} // namespace npu
