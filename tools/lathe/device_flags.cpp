#include "tools/lathe/device_flags.h"

#include "absl/strings/str_cat.h"

#include "runtime/cpu/device.h"
#include "runtime/cpu/thread_pool.h"

namespace lathe::cli {

void addDeviceFlag(CLI::App &app, DeviceFlags &flags) {
  addText(app, "--device", flags.device, "D", "the device, as `lathe devices` names it (cpu:0)");
}

void addThreadsFlag(CLI::App &app, DeviceFlags &flags) {
  addWhole(app, "--threads", flags.threads, {0, runtime::kMaxThreads},
           "threads to use (0: one for each core)");
}

absl::StatusOr<std::shared_ptr<runtime::Device>> openDevice(const DeviceFlags &flags) {
  if (flags.device && *flags.device != kCpuDevice)
    return absl::NotFoundError(absl::StrCat("--device ", *flags.device,
                                            ": there is no such device; this program runs on ",
                                            kCpuDevice, " only"));
  runtime::CpuOptions options;
  options.threads = static_cast<int>(flags.threads.value_or(0));
  return runtime::createCpuDevice(options);
}

} // namespace lathe::cli
