// Work of one device in order, done while the host goes on where the device can; the queues, events
// and copies of runtime/abi/plugin.h.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/device/device.h"
#include "runtime/export.h"

namespace lathe::runtime {

// Movable, not thread-safe. A device without queues does everything at once; callers need not ask.
// The destructor waits, since work may use memory of the caller.
class LATHE_RUNTIME_API DeviceQueue {
public:
  DeviceQueue() = default;
  static absl::StatusOr<DeviceQueue> create(std::shared_ptr<Device> device);
  DeviceQueue(DeviceQueue &&other) noexcept;
  DeviceQueue &operator=(DeviceQueue &&other) noexcept;
  ~DeviceQueue();

  // Whether toDevice and toHost are there, and a better way to the bytes at `offset` of a buffer
  // than mapping it.
  bool copies(uint64_t offset) const;

  // As Device::run. `bindings` are borrowed for the call; what they name, until finish(). Who
  // observes waits for what is done.
  absl::Status run(const Executable &executable, uint32_t entry,
                   absl::Span<const lathe_binding> bindings, int64_t rows, int64_t output_rows,
                   const RegionObserver *observer = nullptr);
  // Copies between bytes of the host and of a buffer. Both are borrowed until finish().
  absl::Status toDevice(const void *from, const lathe_binding &to);
  absl::Status toHost(const lathe_binding &from, void *to);
  // Waits until all is done; the first error of what failed meanwhile.
  absl::Status finish();

private:
  lathe_order order();
  absl::Status copy(const lathe_binding &part, void *memory, uint32_t direction);

  std::shared_ptr<Device> device_;
  lathe_queue *queue_ = nullptr;
  lathe_event *event_ = nullptr;
  uint64_t given_ = 0, done_ = 0; // what the event counts to, and what it was seen at
};

} // namespace lathe::runtime
