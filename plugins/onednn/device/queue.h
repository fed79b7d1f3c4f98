// Order in time: a queue is a thread that does one piece of work after the other, an event a
// counter that only rises.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "border.h"

namespace onednn {

class Counter {
public:
  explicit Counter(uint64_t value) : value_(value) {}

  // Never lowers it.
  void raise(uint64_t value);
  // Waits at most so many seconds; negative: for ever. Gives the counter.
  uint64_t wait(uint64_t value, double timeout);

private:
  std::mutex mutex_;
  std::condition_variable risen_;
  uint64_t value_;
};

// A point in time that outlives its event.
struct Point {
  std::shared_ptr<Counter> counter; // NULL: no point
  uint64_t value = 0;
};

// When work runs, copied out of the host's lathe_order.
struct Order {
  std::vector<Point> waits;
  Point signal;

  explicit Order(const lathe_order &order);
  void wait() const;
  void reach() const; // the signal
};

} // namespace onednn

struct lathe_event {
  std::shared_ptr<onednn::Counter> counter;
};

struct lathe_queue {
public:
  lathe_queue();
  // When all that is in it is done.
  ~lathe_queue();

  using Work = std::function<void()>;
  void push(onednn::Order order, Work work);
  // The first error since it was asked for the last time.
  std::exception_ptr takeError();

private:
  struct Item {
    onednn::Order order;
    Work work;
  };
  void serve();
  void finish(const Item &item) noexcept;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  bool is_closing_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

namespace onednn {

// Does `work` when `order` says so: behind what is in the queue, and the call returns; or, without
// a queue, here.
void doWork(const lathe_order &order, lathe_queue::Work work);

} // namespace onednn
