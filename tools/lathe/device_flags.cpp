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

absl::StatusOr<std::shared_ptr<runtime::Device>> openCpu(const DeviceFlags &flags) {
  runtime::CpuOptions options;
  options.threads = static_cast<int>(flags.threads.value_or(0));
  return runtime::createCpuDevice(options);
}

bool isCpu(const DeviceFlags &flags) { return !flags.device || *flags.device == kCpuDevice; }

} // namespace

void addDeviceFlag(CLI::App &app, DeviceFlags &flags) {
  addText(app, "--device", flags.device, "D", "the device, as `lathe devices` names it (cpu:0)");
  addPluginFlag(app, flags.plugins);
}

void addThreadsFlag(CLI::App &app, DeviceFlags &flags) {
  addWhole(app, "--threads", flags.threads, {0, runtime::kMaxThreads},
           "threads to use (0: one for each core)");
}

void addTargetFlag(CLI::App &app, DeviceFlags &flags) {
  addText(app, "--target", flags.target, "T",
          "which code of the file, as `lathe inspect` names it (the best for the device)");
}

absl::StatusOr<std::shared_ptr<runtime::Device>> openDevice(const DeviceFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(Plugins plugins, loadPlugins(flags.plugins));
  return isCpu(flags) ? openCpu(flags) : openOfPlugins(*flags.device, plugins);
}

absl::StatusOr<std::vector<std::shared_ptr<runtime::Device>>>
openDevices(const DeviceFlags &flags) {
  std::vector<std::shared_ptr<runtime::Device>> devices;
  LATHE_ASSIGN_OR_RETURN(auto first, openDevice(flags));
  devices.push_back(std::move(first));
  if (!isCpu(flags)) {
    LATHE_ASSIGN_OR_RETURN(auto cpu, openCpu(flags));
    devices.push_back(std::move(cpu));
  }
  return devices;
}

absl::StatusOr<std::shared_ptr<runtime::Module>> loadModule(const std::string &file,
                                                            const DeviceFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(auto devices, openDevices(flags));
  runtime::ModuleOptions options;
  options.target = flags.target.value_or("");
  options.more_devices.assign(devices.begin() + 1, devices.end());
  return runtime::Module::load(file, devices[0], options);
}

} // namespace lathe::cli
