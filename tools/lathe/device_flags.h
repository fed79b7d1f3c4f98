// Which device a verb runs on, and with how many threads.
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "runtime/module/module.h"
#include "tools/lathe/flags.h"
#include "tools/lathe/plugin_flags.h"

namespace lathe::cli {

struct DeviceFlags {
  std::optional<std::string> device;
  std::optional<int64_t> threads;
  std::vector<std::string> plugins;
  std::optional<std::string> target;
};

inline constexpr char kCpuDevice[] = "cpu:0";

void addDeviceFlag(CLI::App &app, DeviceFlags &flags); // --device and --plugin
void addThreadsFlag(CLI::App &app, DeviceFlags &flags);
void addTargetFlag(CLI::App &app, DeviceFlags &flags);

// NOT_FOUND: a device that neither this program nor a plugin has; the message lists those there
// are.
absl::StatusOr<std::shared_ptr<runtime::Device>> openDevice(const DeviceFlags &flags);
// The device, then the CPU where it is another: a placed model needs both.
absl::StatusOr<std::vector<std::shared_ptr<runtime::Device>>> openDevices(const DeviceFlags &flags);
// The model on what openDevices gives: its best code there, or the target's that was asked for.
absl::StatusOr<std::shared_ptr<runtime::Module>> loadModule(const std::string &file,
                                                            const DeviceFlags &flags);

} // namespace lathe::cli
