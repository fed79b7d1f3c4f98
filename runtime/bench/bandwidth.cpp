#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <unistd.h>

#include "base/status.h"
#include "runtime/bench/limits.h"
#include "runtime/cpu/memory.h"
#include "runtime/cpu/thread_pool.h"

namespace lathe::runtime {
namespace {

constexpr uint64_t kBlock = 1 << 20; // bytes of one item of work
constexpr int kRepetitions = 4;
constexpr uint64_t kAhead[] = {512, 2048}; // bytes from what is read to what is asked for: in turns

struct Reading {
  const uint64_t *words;
  std::atomic<uint64_t> *sink; // so that the reads cannot be left out
  uint64_t ahead;
};

// Lines are asked for early, as kernels do: the processor's own prefetching stops at each page, and
// without this a product can read faster than what is called the memory's speed.
uint64_t sumOfBlock(const uint64_t *words, uint64_t ahead) {
  uint64_t sums[8] = {};
  for (uint64_t i = 0; i < kBlock / sizeof(uint64_t); i += 8) {
    __builtin_prefetch(words + i + ahead / sizeof(uint64_t));
    for (int lane = 0; lane < 8; ++lane)
      sums[lane] += words[i + lane];
  }
  uint64_t sum = 0;
  for (uint64_t lane : sums)
    sum += lane;
  return sum;
}

void readBlocks(const void *context, int64_t begin, int64_t end) {
  const auto &reading = *static_cast<const Reading *>(context);
  uint64_t sum = 0;
  for (int64_t block = begin; block < end; ++block)
    sum += sumOfBlock(reading.words + block * (kBlock / sizeof(uint64_t)), reading.ahead);
  reading.sink->fetch_add(sum, std::memory_order_relaxed);
}

void touchBlocks(const void *context, int64_t begin, int64_t end) {
  char *bytes = static_cast<char *>(const_cast<void *>(context));
  std::memset(bytes + begin * kBlock, 1, (end - begin) * kBlock);
}

// Of the whole blocks of `bytes`, bytes a second.
double fastestRead(ThreadPool &pool, absl::Span<const uint8_t> bytes, int repetitions) {
  auto blocks = static_cast<int64_t>(bytes.size() / kBlock);
  std::atomic<uint64_t> sink{0};
  double best = 0;
  for (int i = 0; i < repetitions; ++i) {
    Reading reading{reinterpret_cast<const uint64_t *>(bytes.data()), &sink, kAhead[i % 2]};
    auto start = std::chrono::steady_clock::now();
    pool.run(readBlocks, &reading, blocks);
    std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(blocks * kBlock) / passed.count());
  }
  return best;
}

} // namespace

uint64_t bandwidthBytes(uint64_t memory_bytes) {
  uint64_t cache = static_cast<uint64_t>(std::max(0L, sysconf(_SC_LEVEL3_CACHE_SIZE)));
  return std::min(std::max(uint64_t{1} << 30, 4 * cache), memory_bytes / 8);
}

absl::StatusOr<double> measureReadBandwidth(int threads, uint64_t bytes, int repetitions) {
  if (bytes < kBlock || repetitions < 1 || threads < 0 || threads > kMaxThreads)
    return absl::InvalidArgumentError(
        absl::StrCat("read bandwidth: ", threads, " threads, ", bytes, " bytes and ", repetitions,
                     " repetitions; at least 1 MiB, once, by at most ", kMaxThreads));
  CpuMemory memory;
  LATHE_RETURN_IF_ERROR(memory.allocate(bytes, true));
  ThreadPool pool(threads == 0 ? usableCores() : threads);
  pool.run(touchBlocks, memory.data(), static_cast<int64_t>(bytes / kBlock));
  return fastestRead(pool, {static_cast<const uint8_t *>(memory.data()), bytes}, repetitions);
}

absl::StatusOr<double> measureReadBandwidth(const Module &module) {
  const DeviceProperties &device = module.device()->properties();
  auto threads = static_cast<int>(device.parallelism);
  uint64_t least = bandwidthBytes(device.memory_bytes), most = device.memory_bytes / 4 * 3;
  absl::Span<const uint8_t> weights;
  if (!module.target().weights_section.empty()) {
    LATHE_ASSIGN_OR_RETURN(weights, module.artifact().section(module.target().weights_section));
  }
  if (weights.size() < least || weights.size() > most)
    return measureReadBandwidth(threads, least, kRepetitions);
  ThreadPool pool(threads);
  return fastestRead(pool, weights, kRepetitions);
}

} // namespace lathe::runtime
