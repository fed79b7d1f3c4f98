// A device of any kind as the runtime's C++ sees it: the device half of
// runtime/abi/plugin.h with owners and statuses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/abi/plugin.h"
#include "runtime/export.h"

namespace lathe::runtime {

class Device;

// A device half that has been looked at: whatever it may call is there.
class LATHE_RUNTIME_API DeviceTable {
public:
  // FAILED_PRECONDITION: no table, or one without a required function.
  static absl::StatusOr<DeviceTable> of(const lathe_device_api *api);

  // As much as the plugin's table has; the rest is NULL.
  const lathe_device_api *operator->() const { return &api_; }
  // Devices that can be opened here.
  absl::StatusOr<uint32_t> count() const;
  // As Device::wrap.
  absl::StatusOr<std::shared_ptr<Device>> open(uint32_t index,
                                               std::shared_ptr<const void> library = {},
                                               absl::string_view plugin = "") const;

private:
  lathe_device_api api_;
};

// Hears of each part of a run when it is done, by its label; on the thread that runs.
using RegionObserver = std::function<void(absl::string_view label)>;

// Memory of a device. Movable; released with the object. Holds its device alive.
class LATHE_RUNTIME_API DeviceBuffer {
public:
  DeviceBuffer() = default;
  DeviceBuffer(std::shared_ptr<Device> device, lathe_buffer *buffer, uint64_t size)
      : device_(std::move(device)), buffer_(buffer), size_(size) {}
  DeviceBuffer(DeviceBuffer &&other) noexcept;
  DeviceBuffer &operator=(DeviceBuffer &&other) noexcept;
  ~DeviceBuffer();

  lathe_buffer *handle() const { return buffer_; }
  // All of it.
  lathe_binding binding() const { return {buffer_, 0, size_}; }
  uint64_t size() const { return size_; }
  // The CPU's address of its bytes, until unmap(). `access`: bits of LATHE_MAP_*.
  absl::StatusOr<void *> map(uint32_t access);
  absl::Status unmap();
  absl::Status clear(); // afterwards it reads as zero

private:
  std::shared_ptr<Device> device_;
  lathe_buffer *buffer_ = nullptr;
  uint64_t size_ = 0;
};

// Code on a device. As DeviceBuffer.
class LATHE_RUNTIME_API Executable {
public:
  Executable() = default;
  Executable(std::shared_ptr<Device> device, lathe_executable *executable)
      : device_(std::move(device)), executable_(executable) {}
  Executable(Executable &&other) noexcept;
  Executable &operator=(Executable &&other) noexcept;
  ~Executable();

  lathe_executable *handle() const { return executable_; }
  absl::StatusOr<uint32_t> entry(absl::string_view name) const;

private:
  std::shared_ptr<Device> device_;
  lathe_executable *executable_ = nullptr;
};

struct DeviceProperties {
  std::string name, kind, compatibility, details;
  std::string level; // the best target that it takes, as users write it: "npu:ascend-910b"
  uint64_t memory_bytes = 0;
  uint32_t parallelism = 1;
  bool host_visible = false, simulated = false;
  uint64_t import_alignment = 1;
};

struct Compatibility {
  enum class Verdict { optimal, usable, no } verdict = Verdict::no;
  uint32_t rank = 0;  // among what runs, the highest is best
  std::string reason; // empty when optimal
};

// Thread-safe, as the table is. Always held by a shared_ptr: buffers and executables keep it alive.
class LATHE_RUNTIME_API Device : public std::enable_shared_from_this<Device> {
public:
  // Owns an open device of a table, and closes it when the last owner is gone; then `library`, what
  // the table's code lives in, is let go. `plugin`: the name of the one that brings it. Refuses
  // properties that make no sense.
  static absl::StatusOr<std::shared_ptr<Device>> wrap(const DeviceTable &table,
                                                      lathe_device *device,
                                                      std::shared_ptr<const void> library = {},
                                                      absl::string_view plugin = "");
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const DeviceProperties &properties() const { return properties_; }
  absl::StatusOr<Compatibility> compatibility(absl::string_view needs);

  absl::StatusOr<DeviceBuffer> allocate(uint64_t size, uint32_t flags, uint64_t alignment = 64);
  // `memory` must outlive the buffer. Copied only where the device cannot import.
  absl::StatusOr<DeviceBuffer> import(absl::Span<const uint8_t> memory);
  // `weight_offsets`: where the code's packed weights stand in the buffer of weights.
  absl::StatusOr<Executable> load(absl::Span<const uint8_t> code, absl::string_view needs,
                                  absl::Span<const uint64_t> weight_offsets = {});
  // The hot path: allocates nothing unless it fails or is observed.
  absl::Status run(const Executable &executable, uint32_t entry,
                   absl::Span<const lathe_binding> bindings, int64_t rows, int64_t output_rows,
                   const RegionObserver *observer = nullptr, const lathe_order &order = {});

  // For what calls the table itself: queues, buffers, executables.
  const lathe_device_api &api() const { return *table_.operator->(); }
  lathe_device *handle() const { return device_; }

private:
  Device(const DeviceTable &table, lathe_device *device, std::shared_ptr<const void> library)
      : library_(std::move(library)), table_(table), device_(device) {}
  absl::Status readProperties();

  std::shared_ptr<const void> library_;
  DeviceTable table_;
  lathe_device *device_;
  DeviceProperties properties_;
};

} // namespace lathe::runtime
