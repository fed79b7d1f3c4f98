#include "device/queue.h"

#include <chrono>
#include <system_error>
#include <utility>

#include "device/device.h"

namespace onednn {

// ---- Events -------------------------------------------------------------------------------------

void Counter::raise(uint64_t value) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    value_ = value > value_ ? value : value_;
  }
  risen_.notify_all();
}

uint64_t Counter::wait(uint64_t value, double timeout) {
  constexpr double kForEver = 1e9; // seconds: more than a clock can be asked for is no timeout
  const auto is_there = [&] { return value_ >= value; };
  std::unique_lock<std::mutex> lock(mutex_);
  if (timeout < 0 || timeout > kForEver)
    risen_.wait(lock, is_there);
  else if (timeout > 0)
    risen_.wait_for(lock, std::chrono::duration<double>(timeout), is_there);
  return value_;
}

static Point pointOf(const lathe_point &point) {
  return {point.event ? point.event->counter : nullptr, point.value};
}

Order::Order(const lathe_order &order) : signal(pointOf(order.signal)) {
  for (size_t i = 0; i < order.wait_count; ++i)
    waits.push_back(pointOf(order.waits[i]));
}

void Order::wait() const {
  for (const Point &point : waits)
    if (point.counter)
      point.counter->wait(point.value, -1);
}

void Order::reach() const {
  if (signal.counter)
    signal.counter->raise(signal.value);
}

lathe_error *eventCreate(lathe_event_create_args *args) {
  return answer([&] {
    lathe_event_create_args mine = take(args);
    mine.event = new lathe_event{std::make_shared<Counter>(mine.value)};
    give(args, mine);
  });
}

lathe_error *eventRelease(lathe_event_args *args) {
  delete take(args).event;
  return nullptr;
}

lathe_error *eventWait(lathe_event_wait_args *args) {
  return answer([&] {
    lathe_event_wait_args mine = take(args);
    mine.reached = mine.event->counter->wait(mine.value, mine.timeout);
    give(args, mine);
  });
}

// ---- Queues -------------------------------------------------------------------------------------

void doWork(const lathe_order &theirs, lathe_queue::Work work) {
  Order order(theirs);
  if (theirs.queue)
    return theirs.queue->push(std::move(order), std::move(work));
  order.wait();
  work();
  order.reach();
}

lathe_error *queueCreate(lathe_queue_create_args *args) {
  return answer([&] {
    lathe_queue_create_args mine = take(args);
    try {
      mine.queue = new lathe_queue;
    } catch (const std::system_error &error) {
      fail(LATHE_ERROR_RESOURCE_EXHAUSTED, std::string("no thread for a queue: ") + error.what());
    }
    give(args, mine);
  });
}

lathe_error *queueRelease(lathe_queue_args *args) {
  delete take(args).queue;
  return nullptr;
}

lathe_error *queueError(lathe_queue_args *args) {
  const lathe_queue_args mine = take(args);
  return answer([&] {
    if (std::exception_ptr error = mine.queue->takeError())
      std::rethrow_exception(error);
  });
}

} // namespace onednn

lathe_queue::lathe_queue() : thread_([this] { serve(); }) {}

lathe_queue::~lathe_queue() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void lathe_queue::push(onednn::Order order, Work work) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    items_.push_back({std::move(order), std::move(work)});
  }
  changed_.notify_all();
}

std::exception_ptr lathe_queue::takeError() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(error_, nullptr);
}

// The signal is set even where the work failed: whoever waits must wake up to ask for the error.
void lathe_queue::finish(const Item &item) noexcept {
  try {
    item.order.wait();
    item.work();
  } catch (...) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!error_)
      error_ = std::current_exception();
  }
  item.order.reach();
}

void lathe_queue::serve() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !items_.empty() || is_closing_; });
    if (items_.empty())
      return;
    const Item item = std::move(items_.front());
    items_.pop_front();
    lock.unlock();
    finish(item);
    lock.lock();
  }
}
