// Which device a verb runs on, and with how many threads.
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "runtime/device/device.h"
#include "tools/lathe/flags.h"

namespace lathe::cli {

struct DeviceFlags {
  std::optional<std::string> device;
  std::optional<int64_t> threads;
};

inline constexpr char kCpuDevice[] = "cpu:0";

void addDeviceFlag(CLI::App &app, DeviceFlags &flags);
void addThreadsFlag(CLI::App &app, DeviceFlags &flags);

// NOT_FOUND: a device that this program does not have.
absl::StatusOr<std::shared_ptr<runtime::Device>> openDevice(const DeviceFlags &flags);

} // namespace lathe::cli
