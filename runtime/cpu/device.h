// This machine's CPU as a device: code of runtime/abi/cpu_executable.h, run on an own thread pool.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "runtime/cpu/features.h"
#include "runtime/device/device.h"
#include "runtime/export.h"

namespace lathe::runtime {

struct CpuOptions {
  int threads = 0; // 0: one for each physical core that this process may use
  // The features that code may need; tests pretend to be another machine with it.
  CpuFeatures features = CpuFeatures::ofThisMachine();
};

// INVALID_ARGUMENT where `threads` is negative or more than kMaxThreads.
LATHE_RUNTIME_API absl::StatusOr<std::shared_ptr<Device>>
createCpuDevice(const CpuOptions &options = {});

} // namespace lathe::runtime
