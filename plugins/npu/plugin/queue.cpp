#include "plugin/queue.h"

#include <chrono>
#include <system_error>
#include <utility>

namespace npu::plugin {

// ---- Events

void Counter::raise(uint64_t to) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    value = std::max(value, to);
  }
  risen.notify_all();
}

uint64_t Counter::wait(uint64_t wanted, double timeout) {
  constexpr double for_ever = 1e9; // seconds; clocks do not take much more
  auto there = [&] { return value >= wanted; };
  std::unique_lock<std::mutex> lock(mutex);
  if (timeout < 0 || timeout > for_ever)
    risen.wait(lock, there);
  else if (timeout > 0)
    risen.wait_for(lock, std::chrono::duration<double>(timeout), there);
  return value;
}

Order::Point Order::point_of(const lathe_point &theirs) {
  return {theirs.event ? theirs.event->counter : nullptr, theirs.value};
}

Order::Order(const lathe_order &theirs) : done(point_of(theirs.signal)) {
  for (size_t i = 0; i < theirs.wait_count; ++i)
    waits.push_back(point_of(theirs.waits[i]));
}

void Order::wait() const {
  for (const Point &point : waits)
    if (point.counter)
      point.counter->wait(point.value, -1);
}

void Order::signal() const {
  if (done.counter)
    done.counter->raise(done.value);
}

lathe_error *event_create(lathe_event_create_args *args) {
  lathe_event_create_args mine = take(args);
  mine.event = new lathe_event{std::make_shared<Counter>(mine.value)};
  return give(args, mine);
}

lathe_error *event_release(lathe_event_args *args) {
  delete take(args).event;
  return nullptr;
}

lathe_error *event_wait(lathe_event_wait_args *args) {
  lathe_event_wait_args mine = take(args);
  mine.reached = mine.event->counter->wait(mine.value, mine.timeout);
  return give(args, mine);
}

// ---- Queues

lathe_error *do_work(const lathe_order &theirs, Work work) {
  Order order(theirs);
  if (theirs.queue) {
    theirs.queue->push(std::move(order), std::move(work));
    return nullptr;
  }
  order.wait();
  lathe_error *problem = work();
  order.signal();
  return problem;
}

lathe_error *queue_create(lathe_queue_create_args *args) {
  lathe_queue_create_args mine = take(args);
  try {
    mine.queue = new lathe_queue;
  } catch (const std::system_error &problem) {
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED,
                text("no thread for a queue: ", std::string_view(problem.what())));
  }
  return give(args, mine);
}

lathe_error *queue_release(lathe_queue_args *args) {
  delete take(args).queue;
  return nullptr;
}

lathe_error *queue_error(lathe_queue_args *args) { return take(args).queue->take_error(); }

} // namespace npu::plugin

lathe_queue::~lathe_queue() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    closing = true;
  }
  changed.notify_all();
  thread.join();
  npu::plugin::release(error);
}

void lathe_queue::push(npu::plugin::Order order, npu::plugin::Work work) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    items.push_back({std::move(order), std::move(work)});
  }
  changed.notify_all();
}

lathe_error *lathe_queue::take_error() {
  std::lock_guard<std::mutex> lock(mutex);
  return std::exchange(error, nullptr);
}

// The signal is set even where the work failed: whoever waits must wake up to ask for the error.
void lathe_queue::finish(const Item &item) {
  item.order.wait();
  if (lathe_error *problem = item.work()) {
    std::lock_guard<std::mutex> lock(mutex);
    if (error)
      npu::plugin::release(problem);
    else
      error = problem;
  }
  item.order.signal();
}

void lathe_queue::serve() {
  std::unique_lock<std::mutex> lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return !items.empty() || closing; });
    if (items.empty())
      return;
    Item item = std::move(items.front());
    items.pop_front();
    lock.unlock();
    finish(item);
    lock.lock();
  }
}
