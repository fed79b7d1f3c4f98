// The device half: simulated devices, and the table of what they can do.
#include "plugin/device.h"
#include "plugin/halves.h"
#include "plugin/queue.h"

namespace npu::plugin {
namespace {

// ---- Devices

// All descriptions, or the one that the option names.
std::vector<std::string_view> names() {
  std::vector<std::string_view> all = builtinDeviceNames();
  std::string_view wanted = option("device");
  if (wanted.empty())
    return all;
  std::erase_if(all, [&](std::string_view name) { return name != wanted; });
  return all;
}

lathe_error *device_list(lathe_device_list_args *args) {
  lathe_device_list_args mine = take(args);
  mine.device_count = static_cast<uint32_t>(names().size());
  if (mine.device_count == 0) {
    std::string known;
    for (std::string_view name : builtinDeviceNames())
      known += text(" ", name);
    return fail(LATHE_ERROR_NOT_FOUND,
                text("option device: there is no ", option("device"), "; there are", known));
  }
  return give(args, mine);
}

lathe_error *device_open(lathe_device_open_args *args) {
  lathe_device_open_args mine = take(args);
  if (mine.index >= names().size())
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                text("there is no device ", mine.index, "; there are ", names().size()));
  Result<std::unique_ptr<Session>> session = Session::open(names()[mine.index]);
  if (!session.ok())
    return fail(LATHE_ERROR_INTERNAL, session.message());
  mine.device = new lathe_device;
  mine.device->session = std::move(*session);
  const Device &device = mine.device->session->device();
  mine.device->name = text(device.name, ", simulated");
  mine.device->compatibility = compatibility_of(device);
  return give(args, mine);
}

lathe_error *device_close(lathe_device_args *args) {
  lathe_device_args mine = take(args);
  std::string problem = mine.device ? mine.device->session->close() : "";
  delete mine.device;
  return problem.empty() ? nullptr : fail(LATHE_ERROR_UNAVAILABLE, problem);
}

lathe_error *properties(lathe_device_properties_args *args) {
  lathe_device_properties_args asked = take(args);
  lathe_device_properties mine = take(asked.properties);
  const Device &device = asked.device->session->device();
  mine.name = shown(asked.device->name);
  mine.kind = shown("npu");
  mine.compatibility = shown(asked.device->compatibility);
  mine.level = shown(device.name);
  mine.details = shown(builtinDeviceText(device.name));
  mine.memory_bytes = device.global.bytes;
  mine.import_alignment = 1;
  mine.parallelism = device.cores();
  mine.host_visible = 1;
  mine.simulated = 1;
  return give(asked.properties, mine);
}

lathe_error *compatibility(lathe_compatibility_args *args) {
  lathe_compatibility_args mine = take(args);
  bool runs = view(mine.compatibility) == mine.device->compatibility;
  mine.verdict = runs ? LATHE_COMPATIBILITY_OPTIMAL : LATHE_COMPATIBILITY_NO;
  mine.rank = runs;
  write_text(&mine.reason, runs ? ""
                                : text("needs ", view(mine.compatibility), ", and this device is ",
                                       mine.device->compatibility));
  return give(args, mine);
}

lathe_device_api make_api() {
  lathe_device_api api = {};
  api.struct_size = sizeof api;
  api.device_list = device_list;
  api.device_open = device_open;
  api.device_close = device_close;
  api.properties = properties;
  api.buffer_allocate = buffer_allocate;
  api.buffer_release = buffer_release;
  api.buffer_map = buffer_map;
  api.buffer_unmap = buffer_unmap;
  api.executable_load = executable_load;
  api.executable_release = executable_release;
  api.executable_entry = executable_entry;
  api.run = run;
  api.compatibility = compatibility;
  api.buffer_import = buffer_import;
  api.buffer_clear = buffer_clear;
  api.copy = copy;
  api.queue_create = queue_create;
  api.queue_release = queue_release;
  api.event_create = event_create;
  api.event_release = event_release;
  api.event_wait = event_wait;
  api.queue_error = queue_error;
  return api;
}

} // namespace

const lathe_device_api device_api = make_api();

} // namespace npu::plugin
