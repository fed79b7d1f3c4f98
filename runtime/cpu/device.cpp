#include "runtime/cpu/device.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <mutex>
#include <unistd.h>

#include "base/status.h"
#include "runtime/cpu/loaded_code.h"
#include "runtime/cpu/memory.h"
#include "runtime/cpu/nodes.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/device/error.h"

// The opaque types of the table.
struct lathe_buffer {
  lathe::runtime::CpuMemory memory;
};
struct lathe_executable {
  std::unique_ptr<lathe::runtime::LoadedCode> code;
};
struct lathe_device {
  lathe_device(const lathe::runtime::CpuOptions &options, int threads)
      : features(options.features), pool(threads) {}

  lathe::runtime::CpuFeatures features;
  std::string name, level, compatibility, details;
  std::mutex run_mutex; // runs follow each other: they share the pool
  lathe::runtime::ThreadPool pool;
};

namespace lathe::runtime {
namespace {

std::string cpuName() {
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);)
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "x86-64 CPU";
}

uint64_t memoryBytes() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
}

void runOnPool(void *pool, lathe_cpu_task task, const void *context, int64_t count) {
  static_cast<ThreadPool *>(pool)->run(task, context, count);
}

lathe_error *deviceList(lathe_device_list_args *args) {
  args->device_count = 1;
  return nullptr;
}

std::unique_ptr<lathe_device> makeDevice(const CpuOptions &options) {
  int threads = options.threads == 0 ? usableCores() : options.threads;
  auto device = std::make_unique<lathe_device>(options, threads);
  device->name = cpuName();
  device->level = options.features.levelName();
  device->compatibility = options.features.text();
  device->details = placementText(thisMachine());
  return device;
}

lathe_error *deviceOpen(lathe_device_open_args *args) {
  if (args->index != 0)
    return giveError(absl::InvalidArgumentError(
        absl::StrCat("cpu: there is no device ", args->index, "; the only one is 0")));
  args->device = makeDevice({}).release();
  return nullptr;
}

lathe_error *deviceClose(lathe_device_args *args) {
  delete args->device;
  return nullptr;
}

lathe_error *properties(lathe_device_properties_args *args) {
  const lathe_device &device = *args->device;
  lathe_device_properties mine;
  std::memset(&mine, 0, sizeof mine);
  mine.struct_size = args->properties->struct_size;
  mine.name = toAbi(device.name);
  mine.kind = toAbi("cpu");
  mine.compatibility = toAbi(device.compatibility);
  mine.level = toAbi(device.level);
  mine.memory_bytes = memoryBytes();
  mine.parallelism = static_cast<uint32_t>(device.pool.threads());
  mine.host_visible = 1;
  mine.import_alignment = 64;
  mine.details = toAbi(device.details);
  std::memcpy(args->properties, &mine, std::min(mine.struct_size, sizeof mine));
  return nullptr;
}

// Fills in the reason as far as it fits.
void giveReason(lathe_compatibility_args *args, absl::string_view reason) {
  args->reason.size = reason.size();
  if (args->reason.data)
    std::memcpy(args->reason.data, reason.data(), std::min(reason.size(), args->reason.capacity));
}

lathe_error *compatibility(lathe_compatibility_args *args) {
  args->verdict = LATHE_COMPATIBILITY_NO;
  args->rank = 0;
  const CpuFeatures &features = args->device->features;
  auto needs = parseCpuNeeds(fromAbi(args->compatibility));
  if (!needs.ok()) {
    giveReason(args, needs.status().message());
    return nullptr;
  }
  std::string missing = whatIsMissing(*needs, features);
  if (!missing.empty()) {
    giveReason(args, missing);
    return nullptr;
  }
  // Features beside those of the levels (VNNI, BF16) break ties between codes of one level.
  args->rank = needs->levelCount() * 1024 + std::min<uint32_t>(needs->features.size(), 1023);
  bool best = needs->levelCount() >= features.levelCount();
  args->verdict = best ? LATHE_COMPATIBILITY_OPTIMAL : LATHE_COMPATIBILITY_USABLE;
  giveReason(args, best ? ""
                        : absl::StrCat("runs, but this CPU has ", features.levelName(),
                                       "; compile with --target ", features.levelName()));
  return nullptr;
}

lathe_error *bufferAllocate(lathe_buffer_allocate_args *args) {
  if (args->alignment > 4096 || (args->alignment & (args->alignment - 1)) != 0)
    return giveError(absl::InvalidArgumentError(
        absl::StrCat("cpu: alignment ", args->alignment, " is not a power of two up to 4096")));
  auto buffer = std::make_unique<lathe_buffer>();
  // Zeroed memory is state, of which a short conversation uses a small part.
  bool dense = (args->flags & LATHE_BUFFER_ZEROED) == 0;
  absl::Status status = buffer->memory.allocate(args->size, dense);
  if (!status.ok())
    return giveError(status);
  args->buffer = buffer.release();
  return nullptr;
}

lathe_error *bufferImport(lathe_buffer_import_args *args) {
  if (reinterpret_cast<uintptr_t>(args->memory) % 64 != 0)
    return giveError(absl::InvalidArgumentError("cpu: imported memory is not aligned to 64 bytes"));
  auto buffer = std::make_unique<lathe_buffer>();
  buffer->memory.borrow(args->memory, args->size);
  args->buffer = buffer.release();
  return nullptr;
}

lathe_error *bufferRelease(lathe_buffer_args *args) {
  delete args->buffer;
  return nullptr;
}

lathe_error *bufferMap(lathe_buffer_map_args *args) {
  if ((args->access & LATHE_MAP_WRITE) && !args->buffer->memory.owned())
    return giveError(
        absl::FailedPreconditionError("cpu: an imported buffer cannot be mapped for writing"));
  args->memory = args->buffer->memory.data();
  return nullptr;
}

lathe_error *bufferUnmap(lathe_buffer_args *) { return nullptr; }

lathe_error *bufferClear(lathe_buffer_args *args) {
  return giveError(args->buffer->memory.clear());
}

absl::Status loadInto(lathe_executable_load_args *args) {
  LATHE_ASSIGN_OR_RETURN(CpuNeeds needs, parseCpuNeeds(fromAbi(args->compatibility)));
  std::string missing = whatIsMissing(needs, args->device->features);
  if (!missing.empty())
    return absl::FailedPreconditionError(absl::StrCat("executable: ", missing));
  auto executable = std::make_unique<lathe_executable>();
  LATHE_ASSIGN_OR_RETURN(executable->code,
                         LoadedCode::load({static_cast<const uint8_t *>(args->code), args->size}));
  args->executable = executable.release();
  return absl::OkStatus();
}

lathe_error *executableLoad(lathe_executable_load_args *args) { return giveError(loadInto(args)); }

lathe_error *executableRelease(lathe_executable_args *args) {
  delete args->executable;
  return nullptr;
}

lathe_error *executableEntry(lathe_executable_entry_args *args) {
  std::string name = fromAbi(args->name);
  auto entries = args->executable->code->entries();
  for (size_t i = 0; i < entries.size(); ++i)
    if (name == entries[i].name) {
      args->entry = static_cast<uint32_t>(i);
      return nullptr;
    }
  return giveError(absl::NotFoundError(absl::StrCat(
      "executable: has no entry '", name, "'; it has ", args->executable->code->entryNames())));
}

void passOn(void *observer, const char *label) {
  const auto &args = *static_cast<const lathe_run_args *>(observer);
  args.observe(args.observer, toAbi(label));
}

void *addressOf(const lathe_binding &binding) {
  void *base = binding.buffer->memory.data();
  return base ? static_cast<char *>(base) + binding.offset : nullptr;
}

lathe_error *run(lathe_run_args *args) {
  auto entries = args->executable->code->entries();
  if (args->entry >= entries.size() || args->binding_count != LATHE_CPU_BUFFER_COUNT)
    return giveError(absl::InvalidArgumentError(
        absl::StrCat("cpu: entry ", args->entry, " of ", entries.size(), " called with ",
                     args->binding_count, " buffers; an entry takes ", LATHE_CPU_BUFFER_COUNT)));
  void *addresses[LATHE_CPU_BUFFER_COUNT];
  for (uint32_t i = 0; i < LATHE_CPU_BUFFER_COUNT; ++i)
    addresses[i] = addressOf(args->bindings[i]);
  bool observed = LATHE_HAS_FIELD(lathe_run_args, args, observer) && args->observe;
  lathe_cpu_host host = {sizeof host, &args->device->pool, runOnPool, observed ? passOn : nullptr,
                         args};
  lathe_cpu_call call = {sizeof call, &host, args->rows, args->output_rows, addresses};
  std::lock_guard<std::mutex> lock(args->device->run_mutex);
  entries[args->entry].run(&call);
  return nullptr;
}

const lathe_device_api kCpuApi = {
    sizeof(lathe_device_api),
    nullptr,
    deviceList,
    deviceOpen,
    deviceClose,
    properties,
    bufferAllocate,
    bufferRelease,
    bufferMap,
    bufferUnmap,
    executableLoad,
    executableRelease,
    executableEntry,
    run,
    compatibility,
    bufferImport,
    bufferClear,
    nullptr, // copy: the runtime maps
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr, // queues: calls return when done
};

} // namespace

absl::StatusOr<std::shared_ptr<Device>> createCpuDevice(const CpuOptions &options) {
  if (options.threads < 0 || options.threads > kMaxThreads)
    return absl::InvalidArgumentError(absl::StrCat("--threads ", options.threads,
                                                   ": must be from 1 to ", kMaxThreads,
                                                   ", or 0 for one a core"));
  LATHE_ASSIGN_OR_RETURN(DeviceTable table, DeviceTable::of(&kCpuApi));
  return Device::wrap(table, makeDevice(options).release());
}

} // namespace lathe::runtime
