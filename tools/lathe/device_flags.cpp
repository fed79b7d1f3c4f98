#include "tools/lathe/device_flags.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/status.h"
#include "runtime/cpu/device.h"
#include "runtime/cpu/thread_pool.h"

namespace lathe::cli {
namespace {

std::string knownDevices(const Plugins &plugins) {
  std::string known = kCpuDevice;
  for (const auto &plugin : plugins)
    for (uint32_t i = 0; i < plugin->deviceCount(); ++i)
      absl::StrAppend(&known, ", ", plugin->name(), ":", i);
  return known;
}

absl::StatusOr<std::shared_ptr<runtime::Device>> openOfPlugins(const std::string &device,
                                                               const Plugins &plugins) {
  std::pair<std::string, std::string> parts = absl::StrSplit(device, absl::MaxSplits(':', 1));
  uint32_t index = 0;
  bool numbered = absl::SimpleAtoi(parts.second, &index);
  for (const auto &plugin : plugins)
    if (numbered && plugin->name() == parts.first && index < plugin->deviceCount())
      return plugin->openDevice(index);
  return absl::NotFoundError(absl::StrCat(
      "--device ", device, ": there is no such device; those there are: ", knownDevices(plugins)));
}

} // namespace

void addDeviceFlag(CLI::App &app, DeviceFlags &flags) {
  addText(app, "--device", flags.device, "D", "the device, as `lathe devices` names it (cpu:0)");
  addPluginFlag(app, flags.plugins);
}

void addThreadsFlag(CLI::App &app, DeviceFlags &flags) {
  addWhole(app, "--threads", flags.threads, {0, runtime::kMaxThreads},
           "threads to use (0: one for each core)");
}

absl::StatusOr<std::shared_ptr<runtime::Device>> openDevice(const DeviceFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(Plugins plugins, loadPlugins(flags.plugins));
  if (flags.device && *flags.device != kCpuDevice)
    return openOfPlugins(*flags.device, plugins);
  runtime::CpuOptions options;
  options.threads = static_cast<int>(flags.threads.value_or(0));
  return runtime::createCpuDevice(options);
}

} // namespace lathe::cli
