// The device half: a simulated device whose global memory is memory of the host. It has no queues:
// work is done when its call returns.
#include "plugin/halves.h"
#include "plugin/session.h"

#include <cstdlib>
#include <mutex>

using npu::text;
using namespace npu::plugin;

struct lathe_device {
  std::mutex running; // runs and changes of memory follow each other
  std::unique_ptr<Session> session;
  std::string name, compatibility;
};

struct lathe_buffer {
  std::byte *memory;
  uint64_t size, address; // of the device
  bool is_imported = false;
};

struct lathe_executable {
  Code code;
  std::vector<uint64_t> weight_offsets;
};

namespace npu::plugin {
namespace {

lathe_error *failed(uint32_t code, const std::string &message) { return fail(code, message); }

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
    return failed(LATHE_ERROR_NOT_FOUND,
                  text("option device: there is no ", option("device"), "; there are", known));
  }
  return give(args, mine);
}

lathe_error *device_open(lathe_device_open_args *args) {
  lathe_device_open_args mine = take(args);
  if (mine.index >= names().size())
    return failed(LATHE_ERROR_INVALID_ARGUMENT,
                  text("there is no device ", mine.index, "; there are ", names().size()));
  Result<std::unique_ptr<Session>> session = Session::open(names()[mine.index]);
  if (!session.ok())
    return failed(LATHE_ERROR_INTERNAL, session.message());
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
  return problem.empty() ? nullptr : failed(LATHE_ERROR_UNAVAILABLE, problem);
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

// ---- Memory

lathe_error *buffer_allocate(lathe_buffer_allocate_args *args) {
  lathe_buffer_allocate_args mine = take(args);
  uint64_t alignment = std::max<uint64_t>(mine.alignment, 512);
  if (mine.alignment > 4096 || (mine.alignment & (mine.alignment - 1)) != 0)
    return failed(LATHE_ERROR_INVALID_ARGUMENT,
                  text("alignment ", mine.alignment, " is no power of two up to 4096"));
  void *memory = nullptr;
  if (mine.size <= max_bytes) // a block more than needed, so that 0 bytes are some
    memory = std::aligned_alloc(alignment, (mine.size / alignment + 1) * alignment);
  if (!memory)
    return failed(LATHE_ERROR_RESOURCE_EXHAUSTED, text("the host has no ", mine.size, " bytes"));
  if (mine.flags & LATHE_BUFFER_ZEROED)
    std::memset(memory, 0, mine.size);
  std::lock_guard<std::mutex> lock(mine.device->running);
  auto *bytes = static_cast<std::byte *>(memory);
  Result<uint64_t> address = mine.device->session->memory().attach(bytes, mine.size);
  if (!address.ok()) {
    std::free(memory);
    return failed(LATHE_ERROR_RESOURCE_EXHAUSTED, address.message());
  }
  mine.buffer = new lathe_buffer{bytes, mine.size, *address, false};
  return give(args, mine);
}

// The host's bytes as they are: no copy of weights is made. Programs that write there are refused.
lathe_error *buffer_import(lathe_buffer_import_args *args) {
  lathe_buffer_import_args mine = take(args);
  auto *bytes = static_cast<const std::byte *>(mine.memory);
  std::lock_guard<std::mutex> lock(mine.device->running);
  Result<uint64_t> address = mine.device->session->memory().attachReadOnly(bytes, mine.size);
  if (!address.ok())
    return failed(LATHE_ERROR_RESOURCE_EXHAUSTED, address.message());
  mine.buffer = new lathe_buffer{const_cast<std::byte *>(bytes), mine.size, *address, true};
  return give(args, mine);
}

lathe_error *buffer_release(lathe_buffer_args *args) {
  lathe_buffer_args mine = take(args);
  if (!mine.buffer)
    return nullptr;
  std::lock_guard<std::mutex> lock(mine.device->running);
  Status released = mine.device->session->memory().release(mine.buffer->address);
  if (!mine.buffer->is_imported)
    std::free(mine.buffer->memory);
  delete mine.buffer;
  return released.ok() ? nullptr : failed(LATHE_ERROR_INTERNAL, released.message());
}

lathe_error *buffer_map(lathe_buffer_map_args *args) {
  lathe_buffer_map_args mine = take(args);
  mine.memory = mine.buffer->memory;
  return give(args, mine);
}

lathe_error *buffer_unmap(lathe_buffer_args *) { return nullptr; } // host and device see one memory

// ---- Code

lathe_error *executable_load(lathe_executable_load_args *args) {
  lathe_executable_load_args mine = take(args);
  if (view(mine.compatibility) != mine.device->compatibility)
    return failed(LATHE_ERROR_FAILED_PRECONDITION, text("code needs ", view(mine.compatibility),
                                                        ", this is ", mine.device->compatibility));
  std::string_view bytes(static_cast<const char *>(mine.code), mine.size);
  Result<Code> code = read_code(bytes, mine.device->session->device());
  if (code.ok() && code->weights != mine.weight_count)
    code = error("it has ", code->weights, " weights, the call ", mine.weight_count);
  if (!code.ok())
    return failed(LATHE_ERROR_INVALID_ARGUMENT,
                  text("code: ", code.message(), "; compile it again"));
  mine.executable = new lathe_executable{std::move(*code), {}};
  if (mine.weight_count)
    mine.executable->weight_offsets.assign(mine.weight_offsets,
                                           mine.weight_offsets + mine.weight_count);
  return give(args, mine);
}

lathe_error *executable_release(lathe_executable_args *args) {
  delete take(args).executable;
  return nullptr;
}

lathe_error *executable_entry(lathe_executable_entry_args *args) {
  lathe_executable_entry_args mine = take(args);
  std::string names;
  const std::vector<Entry> &entries = mine.executable->code.entries;
  for (mine.entry = 0; mine.entry < entries.size(); ++mine.entry) {
    if (entries[mine.entry].name == view(mine.name))
      return give(args, mine);
    names += text(" '", entries[mine.entry].name, "'");
  }
  return failed(LATHE_ERROR_NOT_FOUND,
                text("code has no entry '", view(mine.name), "'; it has", names));
}

// ---- Runs

Result<Places> places_of(const lathe_run_args &args, const Entry &entry) {
  Places places;
  places.weight_offsets = args.executable->weight_offsets;
  for (uint32_t i = 0; i < args.binding_count; ++i) {
    const lathe_binding &binding = args.bindings[i];
    uint64_t all = binding.buffer ? binding.buffer->size : 0;
    if (binding.offset > all || binding.size > all - binding.offset)
      return error("binding ", i, " is beyond the end of its buffer");
    uint64_t address = binding.buffer ? binding.buffer->address + binding.offset : 0;
    Range range{address, binding.size};
    uint64_t behind = i - entry.inputs - entry.results;
    if (i < entry.inputs)
      places.inputs.push_back(range);
    else if (i < entry.inputs + entry.results)
      places.results.push_back(range);
    else
      (behind == LATHE_BIND_SCRATCH   ? places.scratch
       : behind == LATHE_BIND_WEIGHTS ? places.weights
                                      : places.state) = range;
  }
  return places;
}

lathe_error *run(lathe_run_args *args) {
  lathe_run_args mine = take(args);
  const Code &code = mine.executable->code;
  if (mine.entry >= code.entries.size())
    return failed(LATHE_ERROR_INVALID_ARGUMENT, text("there is no entry ", mine.entry));
  const Entry &entry = code.entries[mine.entry];
  if (mine.binding_count != entry.inputs + entry.results + LATHE_BIND_COUNT)
    return failed(LATHE_ERROR_INVALID_ARGUMENT,
                  text(mine.binding_count, " bindings; ", entry.name, " takes ", entry.inputs,
                       " and gives ", entry.results));
  if (mine.rows < 1 || static_cast<uint64_t>(mine.rows) > entry.max_rows || mine.output_rows < 0 ||
      mine.output_rows > mine.rows)
    return failed(LATHE_ERROR_INVALID_ARGUMENT,
                  text(mine.rows, " rows, ", mine.output_rows, " of output; ", entry.name,
                       " takes 1 to ", entry.max_rows));
  Result<Places> places = places_of(mine, entry);
  if (!places.ok())
    return failed(LATHE_ERROR_INVALID_ARGUMENT, places.message());
  places->rows = static_cast<uint64_t>(mine.rows);
  places->output_rows = static_cast<uint64_t>(mine.output_rows);
  std::lock_guard<std::mutex> lock(mine.device->running);
  Status done = mine.device->session->run(code, entry, *places, [&](const std::string &label) {
    if (mine.observe)
      mine.observe(mine.observer, shown(label));
  });
  return done.ok() ? nullptr : failed(LATHE_ERROR_INTERNAL, done.message());
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
  return api; // the rest is NULL: the runtime copies and clears by mapping, and there are no queues
}

} // namespace

const lathe_device_api device_api = make_api();

} // namespace npu::plugin
