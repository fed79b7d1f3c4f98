// Threads that work on one region after another: items [0, count), each done exactly once.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/abi/cpu_executable.h"
#include "runtime/export.h"

namespace lathe::runtime {

inline constexpr int kMaxThreads = 1024;

// How many physical cores this process may use: its affinity mask, siblings of a core counted once,
// cut to the container's CPU quota where there is one. At least 1.
LATHE_RUNTIME_API int usableCores();

// `threads` counts the caller: a pool of 1 starts none. Items are cut into units, a run of them for
// each thread; a thread that has done its own takes from the others, one at a time, so that one
// which the kernel has stopped holds up no more than the unit in its hands. Idle threads spin for
// some ten microseconds, then sleep. One region at a time: run() is not thread-safe. A task that
// calls run() itself runs that region alone. Threads that it starts stay on a memory node each
// (nodes.h). Where the system gives fewer threads than were asked
// for, threads() says how many there are.
class LATHE_RUNTIME_API ThreadPool {
public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int threads() const { return thread_count_; }

  // Runs task over [0, count). What it wrote is visible to the caller afterwards. Allocates
  // nothing.
  void run(lathe_cpu_task task, const void *context, int64_t count);

private:
  // The units of one thread that nobody has taken yet: [next, end), both in one word.
  struct alignas(64) Share {
    std::atomic<uint64_t> units{0};
  };

  void work(int thread, int threads);
  void drain(int thread);
  void startWorkers(int count);
  bool takeUnit(Share &share, uint32_t *unit);
  void waitForStragglers();

  int thread_count_;
  std::unique_ptr<Share[]> shares_;

  // The region. Written by run() while all shares are empty, read only by who holds a unit of it.
  lathe_cpu_task task_ = nullptr;
  const void *context_ = nullptr;
  int64_t count_ = 0;
  uint32_t unit_count_ = 0;

  alignas(64) std::atomic<uint32_t> epoch_{0};     // goes up with each region; workers wait on it
  alignas(64) std::atomic<uint32_t> remaining_{0}; // units not yet done; the caller waits on it
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

} // namespace lathe::runtime
