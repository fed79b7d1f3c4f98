// `lathe devices`: what models can run on.
#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "tools/lathe/console.h"
#include "tools/lathe/device_flags.h"
#include "tools/lathe/table.h"
#include "tools/lathe/units.h"
#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

nlohmann::ordered_json json(const runtime::DeviceProperties &device) {
  return {{"device", kCpuDevice},
          {"name", device.name},
          {"kind", device.kind},
          {"level", device.level},
          {"compatibility", device.compatibility},
          {"threads", device.parallelism},
          {"memory_bytes", device.memory_bytes}};
}

std::string text(const runtime::DeviceProperties &device) {
  return absl::StrCat(kCpuDevice, "\n",
                      formatTable({{"name", device.name},
                                   {"kind", device.kind},
                                   {"level", device.level},
                                   {"threads", absl::StrCat(device.parallelism)},
                                   {"memory", bytesText(device.memory_bytes)},
                                   {"properties", device.compatibility}}));
}

absl::Status run(bool as_json) {
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<runtime::Device> device, openDevice({}));
  if (as_json)
    printJson({{"devices", {json(device->properties())}}});
  else
    print(text(device->properties()));
  return absl::OkStatus();
}

Action declare(CLI::App &app) {
  auto as_json = std::make_shared<bool>(false);
  addSwitch(app, "--json", *as_json, "one object");
  return [as_json] { return run(*as_json); };
}

} // namespace

const Verb kDevices = {"devices", "", "devices that models can run on, with their properties",
                       "lathe devices", declare};

} // namespace lathe::cli
