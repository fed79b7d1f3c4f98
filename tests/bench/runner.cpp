#include "tests/bench/runner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <dlfcn.h>
#include <numeric>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "backends/x86/compile.h"
#include "base/status.h"

namespace lathe::bench {
namespace {

constexpr size_t kHugePage = 2 << 20;

char *allocate(int64_t bytes) {
  size_t size = x86::roundUp(std::max<int64_t>(bytes, 1), kHugePage);
  char *memory = static_cast<char *>(std::aligned_alloc(kHugePage, size));
  if (!memory)
    throw std::bad_alloc();
  madvise(memory, size, MADV_HUGEPAGE);
  return memory;
}

// As codes of any format and as scales: finite, not subnormal, of both signs.
void fillCodes(char *memory, int64_t bytes) {
  for (int64_t i = 0; i < bytes; ++i)
    memory[i] = static_cast<char>((0x20 + i * 7 % 31) | (i % 3 == 0 ? 0x80 : 0));
}

void fillRows(float *values, int64_t count) {
  std::minstd_rand random(7);
  std::uniform_real_distribution<float> uniform(-2, 2);
  for (int64_t i = 0; i < count; ++i) {
    float value = uniform(random);
    values[i] = __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, value) & 0xfff00000u);
  }
}

// Never unloaded: the process ends soon.
absl::StatusOr<const lathe_cpu_executable *> load(const std::string &code) {
  int descriptor = memfd_create("bench", MFD_CLOEXEC);
  if (write(descriptor, code.data(), code.size()) != static_cast<ssize_t>(code.size()))
    return absl::ResourceExhaustedError("no memory for code");
  std::string path = absl::StrCat("/proc/self/fd/", descriptor);
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return absl::InternalError(dlerror());
  return static_cast<const lathe_cpu_executable *>(dlsym(library, LATHE_CPU_EXECUTABLE_SYMBOL));
}

void parallel(void *pool, lathe_cpu_task task, const void *context, int64_t count) {
  static_cast<runtime::ThreadPool *>(pool)->run(task, context, count);
}

// The integers that a call brings with it.
struct Ids {
  std::vector<int32_t> tokens, slots, positions, output_rows;

  explicit Ids(const Run &run) : tokens(run.rows), slots(run.rows), output_rows(run.rows) {
    for (int64_t t = 0; t < run.rows; ++t)
      tokens[t] = static_cast<int32_t>(t * 7919 % 100000);
    positions.resize(run.rows);
    std::iota(positions.begin(), positions.end(), static_cast<int32_t>(run.context - run.rows));
    std::iota(output_rows.begin(), output_rows.end(), 0);
  }
};

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

} // namespace

absl::StatusOr<const lathe_cpu_entry *> Runner::entryOf(const x86::Level &level, const Line &line) {
  const lathe_cpu_entry *&entry = entries_[level.name.str() + line.name + line.runs.front().suffix];
  if (entry)
    return entry;
  LATHE_ASSIGN_OR_RETURN(std::string code, x86::makeCode(line.program(), level));
  LATHE_ASSIGN_OR_RETURN(const lathe_cpu_executable *executable, load(code));
  return entry = &executable->entries[0];
}

void Runner::growCold(int64_t bytes) {
  if (bytes <= cold_size_)
    return;
  cold_.reset(); // first, so that both are never there
  cold_.reset(allocate(bytes));
  fillCodes(cold_.get(), bytes);
  cold_size_ = bytes;
}

Runner::Memory Runner::arenaOf(const Line &line) const {
  Memory arena(allocate(line.arenaBytes()));
  fillRows(reinterpret_cast<float *>(arena.get()), line.arenaBytes() / 4);
  for (const auto &[operand, values] : line.integers())
    std::memcpy(arena.get() + x86::offsetOf(operand), values.data(),
                values.size() * sizeof(int32_t));
  return arena;
}

void Runner::measure(benchmark::State &state, const x86::Level &level, const Line &line,
                     const Run &run) {
  using Clock = std::chrono::steady_clock;
  auto entry = entryOf(level, line);
  if (!entry.ok())
    return state.SkipWithError(entry.status().ToString().c_str());
  growCold(std::max(cold_bytes_, line.coldBytes()));
  Memory arena = arenaOf(line);
  Ids ids(run);
  void *buffers[LATHE_CPU_BUFFER_COUNT] = {};
  buffers[LATHE_CPU_TOKENS] = ids.tokens.data(), buffers[LATHE_CPU_SLOTS] = ids.slots.data();
  buffers[LATHE_CPU_POSITIONS] = ids.positions.data();
  buffers[LATHE_CPU_OUTPUT_ROWS] = ids.output_rows.data();
  buffers[LATHE_CPU_ARENA] = arena.get();
  lathe_cpu_host host{sizeof(host), &pool_, parallel};
  lathe_cpu_call call{sizeof(call), &host, run.rows, run.rows, buffers};
  std::vector<double> seconds;
  int64_t place = 0;
  for (auto _ : state) {
    buffers[LATHE_CPU_WEIGHTS] = cold_.get() + place;
    Clock::time_point start = Clock::now();
    (*entry)->run(&call);
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    state.SetIterationTime(seconds.back());
    place += line.coldBytes();
    if (place + line.coldBytes() > cold_size_)
      place = 0;
  }
  report(state, level, run, std::move(seconds));
}

double Runner::computeSeconds(const Work &work, const std::string &level) const {
  double tiles = machine_.tileFlops(level), vectors = machine_.vectorFlops(level);
  double on_tiles =
      tiles > 0 ? work.tile_flops * work.tile_products / tiles : work.tile_flops / vectors;
  return on_tiles + work.vector_flops / vectors + work.integer_flops / machine_.integerFlops(level);
}

void Runner::report(benchmark::State &state, const x86::Level &level, const Run &run,
                    std::vector<double> seconds) const {
  double taken = median(std::move(seconds)), memory = memorySeconds(run.work),
         compute = computeSeconds(run.work, level.name.str());
  state.counters["bytes"] = run.work.bytes;
  state.counters["flops"] = run.work.flops();
  state.counters["GB/s"] = run.work.bytes / taken / 1e9;
  state.counters["GFLOP/s"] = run.work.flops() / taken / 1e9;
  state.counters["share"] = std::max(memory, compute) / taken;
  state.counters["seconds"] = taken;
  state.SetLabel(memory > compute ? "bound by memory" : "bound by arithmetic");
}

} // namespace lathe::bench
