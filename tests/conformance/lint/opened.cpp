#include "tests/conformance/lint/opened.h"

#include <dlfcn.h>

#include "base/status.h"
#include "runtime/device/error.h"

namespace lathe::conformance {

absl::StatusOr<Opened> Opened::open(const TargetOptions &options) {
  static lathe_host host = {};
  host.struct_size = sizeof host;
  host.abi_major = LATHE_ABI_MAJOR;
  host.abi_minor = LATHE_ABI_MINOR;
  host.name = runtime::toAbi("lathe");
  void *library = dlopen(options.plugin.c_str(), RTLD_NOW | RTLD_LOCAL);
  void *entry = library ? dlsym(library, LATHE_PLUGIN_SYMBOL) : nullptr;
  if (!entry)
    return absl::FailedPreconditionError("cannot be loaded, or exports no " LATHE_PLUGIN_SYMBOL);
  lathe_plugin_entry_args args = {};
  args.struct_size = sizeof args;
  args.host = &host;
  LATHE_RETURN_IF_ERROR(runtime::takeError(reinterpret_cast<lathe_plugin_entry_fn>(entry)(&args)));
  if (!args.plugin->devices)
    return absl::UnimplementedError("it has no device half");
  LATHE_ASSIGN_OR_RETURN(auto api, runtime::DeviceTable::of(args.plugin->devices));
  LATHE_ASSIGN_OR_RETURN(const uint32_t count, api.count());
  if (count == 0)
    return absl::UnimplementedError("it finds no device here");
  lathe_device_open_args open = {};
  open.struct_size = sizeof open;
  LATHE_RETURN_IF_ERROR(runtime::takeError(api->device_open(&open)));
  lathe_device_properties properties = {};
  properties.struct_size = sizeof properties;
  lathe_device_properties_args ask = {};
  ask.struct_size = sizeof ask;
  ask.device = open.device;
  ask.properties = &properties;
  LATHE_RETURN_IF_ERROR(runtime::takeError(api->properties(&ask)));
  return Opened{api, count, open.device, runtime::fromAbi(properties.compatibility)};
}

} // namespace lathe::conformance
