#include "runtime/device/device.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "base/status.h"
#include "runtime/device/abi_args.h"
#include "runtime/device/abi_struct.h"
#include "runtime/device/error.h"

namespace lathe::runtime {
namespace {

constexpr uint32_t kMaxDevices = 1024;

lathe_buffer_args bufferArgs(lathe_device *device, lathe_buffer *buffer) {
  auto args = makeArgs<lathe_buffer_args>(device);
  args.buffer = buffer;
  return args;
}

// A device says that it did something, but what it gave is nothing.
absl::Status gaveNo(absl::string_view what) {
  return absl::InternalError(absl::StrCat("device: reports success but gives no ", what));
}

struct Function {
  bool there;
  const char *name;
};

const char *firstMissing(std::initializer_list<Function> functions) {
  for (const Function &function : functions)
    if (!function.there)
      return function.name;
  return nullptr;
}

const char *missingFunction(const lathe_device_api &api) {
  return firstMissing({
      {api.device_list != nullptr, "device_list"},
      {api.device_open != nullptr, "device_open"},
      {api.device_close != nullptr, "device_close"},
      {api.properties != nullptr, "properties"},
      {api.buffer_allocate != nullptr, "buffer_allocate"},
      {api.buffer_release != nullptr, "buffer_release"},
      {api.buffer_map != nullptr, "buffer_map"},
      {api.buffer_unmap != nullptr, "buffer_unmap"},
      {api.executable_load != nullptr, "executable_load"},
      {api.executable_release != nullptr, "executable_release"},
      {api.executable_entry != nullptr, "executable_entry"},
      {api.run != nullptr, "run"},
  });
}

const char *missingOfQueues(const lathe_device_api &api) {
  return firstMissing({
      {api.queue_create != nullptr, "queue_create"},
      {api.queue_release != nullptr, "queue_release"},
      {api.event_create != nullptr, "event_create"},
      {api.event_release != nullptr, "event_release"},
      {api.event_wait != nullptr, "event_wait"},
      {api.queue_error != nullptr, "queue_error"},
  });
}

bool hasQueues(const lathe_device_api &api) {
  return api.queue_create || api.queue_release || api.event_create || api.event_release ||
         api.event_wait || api.queue_error;
}

} // namespace

absl::StatusOr<DeviceTable> DeviceTable::of(const lathe_device_api *api) {
  if (!api)
    return absl::FailedPreconditionError("device: gives no table of functions");
  DeviceTable table;
  table.api_ = copyStruct(api);
  if (const char *missing = missingFunction(table.api_))
    return absl::FailedPreconditionError(
        absl::StrCat("device: its table lacks ", missing, ", which runtime/abi/plugin.h requires"));
  if (const char *missing = hasQueues(table.api_) ? missingOfQueues(table.api_) : nullptr)
    return absl::FailedPreconditionError(absl::StrCat(
        "device: its table has functions of queues but lacks ", missing, "; all six or none"));
  return table;
}

absl::StatusOr<uint32_t> DeviceTable::count() const {
  lathe_device_list_args args = {};
  args.struct_size = sizeof args;
  LATHE_RETURN_IF_ERROR(takeError(api_.device_list(&args)));
  if (args.device_count > kMaxDevices)
    return absl::FailedPreconditionError(absl::StrCat(
        "device: lists ", args.device_count, " devices; at most ", kMaxDevices, " make sense"));
  return args.device_count;
}

absl::StatusOr<std::shared_ptr<Device>> DeviceTable::open(uint32_t index,
                                                          std::shared_ptr<const void> library,
                                                          absl::string_view plugin) const {
  lathe_device_open_args args = {};
  args.struct_size = sizeof args;
  args.index = index;
  LATHE_RETURN_IF_ERROR(takeError(api_.device_open(&args)));
  if (!args.device)
    return gaveNo("device");
  return Device::wrap(*this, args.device, std::move(library), plugin);
}

Device::~Device() {
  auto args = makeArgs<lathe_device_args>(device_);
  takeError(table_->device_close(&args)).IgnoreError();
}

absl::StatusOr<std::shared_ptr<Device>> Device::wrap(const DeviceTable &table, lathe_device *device,
                                                     std::shared_ptr<const void> library,
                                                     absl::string_view plugin) {
  // Owns the device from here on, whatever is wrong with it.
  std::shared_ptr<Device> wrapped(new Device(table, device, std::move(library)));
  LATHE_RETURN_IF_ERROR(wrapped->readProperties());
  std::string &level = wrapped->properties_.level;
  if (!plugin.empty() && !level.empty())
    level = absl::StrCat(plugin, ":", level);
  return wrapped;
}

absl::Status Device::readProperties() {
  lathe_device_properties properties;
  std::memset(&properties, 0, sizeof properties);
  properties.struct_size = sizeof properties;
  auto args = makeArgs<lathe_device_properties_args>(device_);
  args.properties = &properties;
  LATHE_RETURN_IF_ERROR(takeError(table_->properties(&args)));
  properties_.name = fromAbi(properties.name);
  properties_.kind = fromAbi(properties.kind);
  properties_.compatibility = fromAbi(properties.compatibility);
  properties_.level = fromAbi(properties.level);
  properties_.details = fromAbi(properties.details);
  properties_.memory_bytes = properties.memory_bytes;
  properties_.parallelism = std::max<uint32_t>(properties.parallelism, 1);
  properties_.host_visible = properties.host_visible != 0;
  properties_.simulated = properties.simulated != 0;
  properties_.import_alignment = std::max<uint64_t>(properties.import_alignment, 1);
  if (properties_.name.empty() || properties_.kind.empty())
    return absl::FailedPreconditionError("device: gives no name or no kind of its own");
  return absl::OkStatus();
}

absl::StatusOr<Compatibility> Device::compatibility(absl::string_view needs) {
  if (!table_->compatibility) {
    if (needs == properties_.compatibility)
      return Compatibility{Compatibility::Verdict::optimal, 1, ""};
    return Compatibility{
        Compatibility::Verdict::no, 0,
        absl::StrCat("needs ", needs, " but the device is ", properties_.compatibility)};
  }
  char reason[1024] = {};
  auto args = makeArgs<lathe_compatibility_args>(device_);
  args.compatibility = toAbi(needs);
  args.reason = {reason, sizeof reason, 0};
  LATHE_RETURN_IF_ERROR(takeError(table_->compatibility(&args)));
  Compatibility result;
  result.verdict = args.verdict == LATHE_COMPATIBILITY_OPTIMAL  ? Compatibility::Verdict::optimal
                   : args.verdict == LATHE_COMPATIBILITY_USABLE ? Compatibility::Verdict::usable
                                                                : Compatibility::Verdict::no;
  result.rank = args.rank;
  result.reason.assign(reason, std::min(args.reason.size, sizeof reason));
  return result;
}

absl::StatusOr<DeviceBuffer> Device::allocate(uint64_t size, uint32_t flags, uint64_t alignment) {
  auto args = makeArgs<lathe_buffer_allocate_args>(device_);
  args.size = size;
  args.alignment = alignment;
  args.flags = flags;
  LATHE_RETURN_IF_ERROR(takeError(table_->buffer_allocate(&args)));
  if (!args.buffer)
    return gaveNo("buffer");
  return DeviceBuffer(shared_from_this(), args.buffer, size);
}

absl::StatusOr<DeviceBuffer> Device::import(absl::Span<const uint8_t> memory) {
  bool aligned = reinterpret_cast<uintptr_t>(memory.data()) % properties_.import_alignment == 0;
  if (table_->buffer_import && aligned) {
    auto args = makeArgs<lathe_buffer_import_args>(device_);
    args.memory = memory.data();
    args.size = memory.size();
    LATHE_RETURN_IF_ERROR(takeError(table_->buffer_import(&args)));
    if (!args.buffer)
      return gaveNo("buffer");
    return DeviceBuffer(shared_from_this(), args.buffer, memory.size());
  }
  LATHE_ASSIGN_OR_RETURN(DeviceBuffer copy, allocate(memory.size(), 0, 64));
  LATHE_ASSIGN_OR_RETURN(void *bytes, copy.map(LATHE_MAP_WRITE));
  if (!memory.empty())
    std::memcpy(bytes, memory.data(), memory.size());
  LATHE_RETURN_IF_ERROR(copy.unmap());
  return copy;
}

absl::StatusOr<Executable> Device::load(absl::Span<const uint8_t> code, absl::string_view needs,
                                        absl::Span<const uint64_t> weight_offsets) {
  auto args = makeArgs<lathe_executable_load_args>(device_);
  args.code = code.data();
  args.size = code.size();
  args.compatibility = toAbi(needs);
  args.weight_offsets = weight_offsets.data();
  args.weight_count = weight_offsets.size();
  LATHE_RETURN_IF_ERROR(takeError(table_->executable_load(&args)));
  if (!args.executable)
    return gaveNo("executable");
  return Executable(shared_from_this(), args.executable);
}

static void callObserver(void *observer, lathe_string label) {
  (*static_cast<const RegionObserver *>(observer))(fromAbi(label));
}

absl::Status Device::run(const Executable &executable, uint32_t entry,
                         absl::Span<const lathe_binding> bindings, int64_t rows,
                         int64_t output_rows, const RegionObserver *observer,
                         const lathe_order &order) {
  auto args = makeArgs<lathe_run_args>(device_);
  args.executable = executable.handle();
  args.entry = entry;
  args.binding_count = static_cast<uint32_t>(bindings.size());
  args.bindings = bindings.data();
  args.rows = rows;
  args.output_rows = output_rows;
  args.order = order;
  if (observer)
    args.observe = callObserver;
  args.observer = const_cast<RegionObserver *>(observer);
  return takeError(table_->run(&args));
}

DeviceBuffer::DeviceBuffer(DeviceBuffer &&other) noexcept
    : device_(std::move(other.device_)), buffer_(std::exchange(other.buffer_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

DeviceBuffer &DeviceBuffer::operator=(DeviceBuffer &&other) noexcept {
  std::swap(device_, other.device_);
  std::swap(buffer_, other.buffer_);
  std::swap(size_, other.size_);
  return *this;
}

DeviceBuffer::~DeviceBuffer() {
  if (!buffer_)
    return;
  auto args = bufferArgs(device_->handle(), buffer_);
  takeError(device_->api().buffer_release(&args)).IgnoreError();
}

absl::StatusOr<void *> DeviceBuffer::map(uint32_t access) {
  auto args = makeArgs<lathe_buffer_map_args>(device_->handle());
  args.buffer = buffer_;
  args.access = access;
  LATHE_RETURN_IF_ERROR(takeError(device_->api().buffer_map(&args)));
  if (!args.memory && size_ > 0)
    return gaveNo("address");
  return args.memory;
}

absl::Status DeviceBuffer::unmap() {
  auto args = bufferArgs(device_->handle(), buffer_);
  return takeError(device_->api().buffer_unmap(&args));
}

absl::Status DeviceBuffer::clear() {
  if (device_->api().buffer_clear) {
    auto args = bufferArgs(device_->handle(), buffer_);
    return takeError(device_->api().buffer_clear(&args));
  }
  LATHE_ASSIGN_OR_RETURN(void *bytes, map(LATHE_MAP_WRITE));
  std::memset(bytes, 0, size_);
  return unmap();
}

Executable::Executable(Executable &&other) noexcept
    : device_(std::move(other.device_)), executable_(std::exchange(other.executable_, nullptr)) {}

Executable &Executable::operator=(Executable &&other) noexcept {
  std::swap(device_, other.device_);
  std::swap(executable_, other.executable_);
  return *this;
}

Executable::~Executable() {
  if (!executable_)
    return;
  auto args = makeArgs<lathe_executable_args>(device_->handle());
  args.executable = executable_;
  takeError(device_->api().executable_release(&args)).IgnoreError();
}

absl::StatusOr<uint32_t> Executable::entry(absl::string_view name) const {
  auto args = makeArgs<lathe_executable_entry_args>(device_->handle());
  args.executable = executable_;
  args.name = toAbi(name);
  LATHE_RETURN_IF_ERROR(takeError(device_->api().executable_entry(&args)));
  return args.entry;
}

} // namespace lathe::runtime
