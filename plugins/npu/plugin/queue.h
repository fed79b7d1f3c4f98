// Order in time: an event is a counter that only rises, a queue a thread of the host that does one
// piece of work after the other.
#pragma once

#include "plugin/border.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace npu::plugin {

// All calls from any thread.
class Counter {
public:
  explicit Counter(uint64_t value) : value(value) {}
  void raise(uint64_t to); // never lowers it
  // Waits at most so many seconds, for ever if negative; the counter.
  uint64_t wait(uint64_t wanted, double timeout);

private:
  std::mutex mutex;
  std::condition_variable risen;
  uint64_t value;
};

// What the host's lathe_order says, copied: counters outlive their events.
class Order {
public:
  explicit Order(const lathe_order &theirs);
  void wait() const;
  void signal() const;

private:
  struct Point {
    std::shared_ptr<Counter> counter; // NULL: no point
    uint64_t value;
  };
  static Point point_of(const lathe_point &theirs);
  std::vector<Point> waits;
  Point done;
};

using Work = std::function<lathe_error *()>;

// Does the work when `order` says so: behind what is in its queue, and the call returns; or,
// without one, here, and the work's error is the answer.
lathe_error *do_work(const lathe_order &order, Work work);

lathe_error *queue_create(lathe_queue_create_args *args);
lathe_error *queue_release(lathe_queue_args *args);
lathe_error *queue_error(lathe_queue_args *args);
lathe_error *event_create(lathe_event_create_args *args);
lathe_error *event_release(lathe_event_args *args);
lathe_error *event_wait(lathe_event_wait_args *args);

} // namespace npu::plugin

struct lathe_event {
  std::shared_ptr<npu::plugin::Counter> counter;
};

struct lathe_queue {
public:
  lathe_queue() : thread([this] { serve(); }) {}
  ~lathe_queue(); // when all that is in it is done
  void push(npu::plugin::Order order, npu::plugin::Work work);
  // The first error since the last call; the caller's.
  lathe_error *take_error();

private:
  struct Item {
    npu::plugin::Order order;
    npu::plugin::Work work;
  };
  void serve();
  void finish(const Item &item);

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Item> items;
  bool closing = false;
  lathe_error *error = nullptr;
  std::thread thread; // the last member: it uses the others
};
