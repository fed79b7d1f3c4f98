// Compiles lines for a feature level and runs them.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "absl/status/statusor.h"
#include "backends/x86/level.h"
#include "runtime/abi/cpu_executable.h"
#include "runtime/cpu/thread_pool.h"
#include "tests/bench/line.h"
#include "tests/bench/machine.h"

namespace lathe::bench {

class Runner {
public:
  // Weights and caches are read from a ring of `cold_bytes`, or of one run's where that is more.
  Runner(const Machine &machine, runtime::ThreadPool &pool, int64_t cold_bytes)
      : machine_(machine), pool_(pool), cold_bytes_(cold_bytes) {}

  // One benchmark: times the run, and reports the median as bytes and FLOPs a second and as the
  // share of what the machine allows.
  void measure(benchmark::State &state, const x86::Level &level, const Line &line, const Run &run);

private:
  struct Free {
    void operator()(char *memory) const { std::free(memory); }
  };
  using Memory = std::unique_ptr<char, Free>;

  absl::StatusOr<const lathe_cpu_entry *> entryOf(const x86::Level &level, const Line &line);
  void growCold(int64_t bytes);
  Memory arenaOf(const Line &line) const;
  void report(benchmark::State &state, const x86::Level &level, const Run &run,
              std::vector<double> seconds) const;
  // The least time that the machine allows, by its memory and by its arithmetic.
  double memorySeconds(const Work &work) const { return work.bytes / machine_.read_bandwidth; }
  double computeSeconds(const Work &work, const std::string &level) const;

  const Machine &machine_;
  runtime::ThreadPool &pool_;
  int64_t cold_bytes_, cold_size_ = 0;
  Memory cold_;
  std::map<std::string, const lathe_cpu_entry *> entries_; // by level and line
};

} // namespace lathe::bench
