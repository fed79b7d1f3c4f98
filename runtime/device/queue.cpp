#include "runtime/device/queue.h"

#include <utility>

#include "base/status.h"
#include "runtime/device/abi_args.h"
#include "runtime/device/error.h"

namespace lathe::runtime {

constexpr uint64_t kPartAlignment = 64; // of lathe_binding::offset

absl::StatusOr<DeviceQueue> DeviceQueue::create(std::shared_ptr<Device> device) {
  DeviceQueue made;
  made.device_ = std::move(device);
  const lathe_device_api &api = made.device_->api();
  if (!api.queue_create)
    return made;
  auto queue = makeArgs<lathe_queue_create_args>(made.device_->handle());
  LATHE_RETURN_IF_ERROR(takeError(api.queue_create(&queue)));
  made.queue_ = queue.queue;
  auto event = makeArgs<lathe_event_create_args>(made.device_->handle());
  LATHE_RETURN_IF_ERROR(takeError(api.event_create(&event)));
  made.event_ = event.event;
  if (!made.queue_ || !made.event_)
    return absl::InternalError("device: reports success but gives no queue or no event");
  return made;
}

DeviceQueue::DeviceQueue(DeviceQueue &&other) noexcept { *this = std::move(other); }

DeviceQueue &DeviceQueue::operator=(DeviceQueue &&other) noexcept {
  std::swap(device_, other.device_);
  std::swap(queue_, other.queue_);
  std::swap(event_, other.event_);
  std::swap(given_, other.given_);
  std::swap(done_, other.done_);
  return *this;
}

DeviceQueue::~DeviceQueue() {
  if (event_)
    finish().IgnoreError();
  if (queue_) {
    auto args = makeArgs<lathe_queue_args>(device_->handle());
    args.queue = queue_;
    takeError(device_->api().queue_release(&args)).IgnoreError();
  }
  if (event_) {
    auto args = makeArgs<lathe_event_args>(device_->handle());
    args.event = event_;
    takeError(device_->api().event_release(&args)).IgnoreError();
  }
}

lathe_order DeviceQueue::order() {
  if (!queue_)
    return {};
  return {queue_, nullptr, 0, {event_, given_ + 1}};
}

absl::Status DeviceQueue::run(const Executable &executable, uint32_t entry,
                              absl::Span<const lathe_binding> bindings, int64_t rows,
                              int64_t output_rows, const RegionObserver *observer) {
  if (observer) { // nobody can look into a queue
    LATHE_RETURN_IF_ERROR(finish());
    return device_->run(executable, entry, bindings, rows, output_rows, observer);
  }
  LATHE_RETURN_IF_ERROR(
      device_->run(executable, entry, bindings, rows, output_rows, nullptr, order()));
  ++given_;
  return absl::OkStatus();
}

bool DeviceQueue::copies(uint64_t offset) const {
  return device_->api().copy && (queue_ || !device_->properties().host_visible) &&
         offset % kPartAlignment == 0;
}

absl::Status DeviceQueue::toDevice(const void *from, const lathe_binding &to) {
  return copy(to, const_cast<void *>(from), LATHE_COPY_TO_DEVICE);
}

absl::Status DeviceQueue::toHost(const lathe_binding &from, void *to) {
  return copy(from, to, LATHE_COPY_TO_HOST);
}

absl::Status DeviceQueue::copy(const lathe_binding &part, void *memory, uint32_t direction) {
  auto args = makeArgs<lathe_copy_args>(device_->handle());
  args.device_part = part;
  args.host_memory = memory;
  args.direction = direction;
  args.order = order();
  LATHE_RETURN_IF_ERROR(takeError(device_->api().copy(&args)));
  ++given_;
  return absl::OkStatus();
}

absl::Status DeviceQueue::finish() {
  if (!queue_ || done_ == given_)
    return absl::OkStatus();
  auto wait = makeArgs<lathe_event_wait_args>(device_->handle());
  wait.event = event_;
  wait.value = given_;
  wait.timeout = -1;
  LATHE_RETURN_IF_ERROR(takeError(device_->api().event_wait(&wait)));
  done_ = given_;
  auto args = makeArgs<lathe_queue_args>(device_->handle());
  args.queue = queue_;
  LATHE_RETURN_IF_ERROR(takeError(device_->api().queue_error(&args)));
  if (wait.reached < given_)
    return absl::InternalError("device: a wait without a time limit ended before its event");
  return absl::OkStatus();
}

} // namespace lathe::runtime
