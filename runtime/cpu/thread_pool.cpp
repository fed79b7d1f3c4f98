#include "runtime/cpu/thread_pool.h"

#include <algorithm>
#include <immintrin.h>
#include <system_error>
#include <utility>

#include "runtime/cpu/nodes.h"

namespace lathe::runtime {
namespace {

constexpr int kSpins = 2000;            // pauses before a thread sleeps: tens of microseconds
constexpr uint32_t kUnitsPerThread = 8; // what a stopped thread can hold up: 1/8 of its share

// The pool for which this thread is working: a region inside of a region would overwrite it.
thread_local const ThreadPool *busy_for = nullptr;

uint64_t pack(uint32_t next, uint32_t end) { return uint64_t{end} << 32 | next; }
uint32_t nextOf(uint64_t units) { return static_cast<uint32_t>(units); }
uint32_t endOf(uint64_t units) { return static_cast<uint32_t>(units >> 32); }

// The first of `whole` things that belongs to part `index` of `parts`; no overflow below 2^63 /
// 2^20.
int64_t partBegin(int64_t whole, uint32_t index, uint32_t parts) {
  int64_t each = whole / parts, rest = whole % parts;
  return each * index + std::min<int64_t>(index, rest);
}

} // namespace

int usableCores() { return std::min(thisMachine().usableCores(), kMaxThreads); }

ThreadPool::ThreadPool(int threads)
    : thread_count_(std::clamp(threads, 1, kMaxThreads)), shares_(new Share[thread_count_]) {
  startWorkers(thread_count_ - 1);
}

// A limit on processes is no reason to fail: results do not depend on how many threads there are.
void ThreadPool::startWorkers(int count) {
  workers_.reserve(count);
  try {
    for (int thread = 1; thread <= count; ++thread)
      workers_.emplace_back([this, thread, count] { work(thread, count + 1); });
  } catch (const std::system_error &) {
    thread_count_ = static_cast<int>(workers_.size()) + 1; // workers read it in a region only
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread &worker : workers_)
    worker.join();
}

void ThreadPool::run(lathe_cpu_task task, const void *context, int64_t count) {
  if (count <= 0)
    return;
  if (thread_count_ == 1 || count == 1 || busy_for == this)
    return task(context, 0, count);
  task_ = task;
  context_ = context;
  count_ = count;
  unit_count_ =
      static_cast<uint32_t>(std::min<int64_t>(count, int64_t{kUnitsPerThread} * thread_count_));
  remaining_.store(unit_count_, std::memory_order_relaxed);
  // Publishing a share publishes the region with it: even a worker that comes late from the last
  // region and takes a unit of this one sees this one's task.
  for (int thread = 0; thread < thread_count_; ++thread) {
    auto begin = static_cast<uint32_t>(partBegin(unit_count_, thread, thread_count_));
    auto end = static_cast<uint32_t>(partBegin(unit_count_, thread + 1, thread_count_));
    shares_[thread].units.store(pack(begin, end), std::memory_order_release);
  }
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  drain(0);
  waitForStragglers();
}

bool ThreadPool::takeUnit(Share &share, uint32_t *unit) {
  uint64_t units = share.units.load(std::memory_order_acquire);
  while (nextOf(units) < endOf(units)) {
    uint64_t rest = pack(nextOf(units) + 1, endOf(units));
    if (share.units.compare_exchange_weak(units, rest, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      *unit = nextOf(units);
      return true;
    }
  }
  return false;
}

// Takes units, its own first, until none are left. As long as it holds one that it has not counted
// as done, run() cannot return, so the region stays as it is.
void ThreadPool::drain(int thread) {
  uint32_t done = 0;
  const ThreadPool *outer = std::exchange(busy_for, this);
  for (int turn = 0; turn < thread_count_; ++turn) {
    Share &share = shares_[(thread + turn) % thread_count_];
    for (uint32_t unit; takeUnit(share, &unit); ++done)
      task_(context_, partBegin(count_, unit, unit_count_),
            partBegin(count_, unit + 1, unit_count_));
  }
  busy_for = outer;
  if (done > 0 && remaining_.fetch_sub(done, std::memory_order_acq_rel) == done && thread != 0)
    remaining_.notify_one();
}

void ThreadPool::waitForStragglers() {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (remaining_.load(std::memory_order_acquire) == 0)
      return;
    _mm_pause();
  }
  for (uint32_t left; (left = remaining_.load(std::memory_order_acquire)) != 0;)
    remaining_.wait(left, std::memory_order_acquire);
}

void ThreadPool::work(int thread, int threads) {
  enterNode(thisMachine(), thread, threads);
  uint32_t seen = 0;
  while (true) {
    for (int spin = 0; spin < kSpins && epoch_.load(std::memory_order_acquire) == seen; ++spin)
      _mm_pause();
    epoch_.wait(seen, std::memory_order_acquire);
    seen = epoch_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_relaxed))
      return;
    drain(thread);
  }
}

} // namespace lathe::runtime
