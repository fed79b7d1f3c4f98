// Queues, events and copies of a toy device that does nothing before somebody waits for it: memory
// that a host lets go, or reads, too early is found at once.
#pragma once

#include <cstring>
#include <functional>
#include <vector>

#include "tests/unit/runtime/toy_device.h"

struct lathe_queue {
  std::vector<std::function<lathe_error *()>> work;
  lathe_error *error = nullptr; // the first
};
struct lathe_event {
  uint64_t value = 0;
  lathe_queue *queue = nullptr; // that will signal it
};

namespace lathe::runtime {

// Now, or when somebody waits.
inline lathe_error *inOrder(const lathe_order &order, std::function<lathe_error *()> work) {
  if (!order.queue)
    return work();
  if (order.signal.event)
    order.signal.event->queue = order.queue;
  order.queue->work.push_back([order, work = std::move(work)] {
    lathe_error *error = work();
    if (order.signal.event)
      order.signal.event->value = order.signal.value;
    return error;
  });
  return nullptr;
}

inline lathe_error *lazyCopy(lathe_copy_args *args) {
  return inOrder(args->order, [copy = *args] {
    char *device = copy.device_part.buffer->bytes.data() + copy.device_part.offset;
    const bool to_device = copy.direction == LATHE_COPY_TO_DEVICE;
    std::memcpy(to_device ? device : copy.host_memory, to_device ? copy.host_memory : device,
                copy.device_part.size);
    return static_cast<lathe_error *>(nullptr);
  });
}

inline lathe_error *lazyQueueCreate(lathe_queue_create_args *args) {
  args->queue = new lathe_queue();
  return takeNext(args->device);
}

inline lathe_error *lazyQueueRelease(lathe_queue_args *args) {
  ++args->device->queues_released;
  delete args->queue;
  return nullptr;
}

inline lathe_error *lazyEventCreate(lathe_event_create_args *args) {
  args->event = new lathe_event{args->value, nullptr};
  return takeNext(args->device);
}

inline lathe_error *lazyEventRelease(lathe_event_args *args) {
  ++args->device->queues_released;
  delete args->event;
  return nullptr;
}

inline lathe_error *lazyWait(lathe_event_wait_args *args) {
  if (lathe_queue *queue = args->event->queue) {
    for (const auto &work : queue->work)
      if (lathe_error *error = work())
        queue->error = error;
    queue->work.clear();
  }
  args->reached = args->event->value;
  return nullptr;
}

inline lathe_error *lazyQueueError(lathe_queue_args *args) {
  return std::exchange(args->queue->error, nullptr);
}

inline lathe_device_api withQueues(lathe_device_api table) {
  table.copy = lazyCopy;
  table.queue_create = lazyQueueCreate;
  table.queue_release = lazyQueueRelease;
  table.event_create = lazyEventCreate;
  table.event_release = lazyEventRelease;
  table.event_wait = lazyWait;
  table.queue_error = lazyQueueError;
  return table;
}

} // namespace lathe::runtime
