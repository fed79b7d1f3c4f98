// The simulator: a device with its memory, on which kernels are launched. One launch at a time;
// calls on one machine from several threads need a lock of the caller's.
#pragma once

#include "device/device.h"
#include "sim/memory.h"
#include "trace/report.h"

#include <memory>
#include <span>

namespace npu {

// Functional: results, no time. Timed: results and time. TimingOnly: time; nothing is computed,
// global memory may have addresses only, and what the scalar unit loads from it reads as 0. Results
// of the first two are the same, since a program whose results could differ is refused as a hazard.
enum class Mode : uint8_t { Functional, Timed, TimingOnly };

struct LaunchOptions {
  unsigned blocks = 1;
  Mode mode = Mode::Functional;
  bool checks = true; // hazards and uninitialised reads; TimingOnly never does them
  bool trace = false; // keep a span of each instruction (timed modes)
  uint64_t maxInstructions = uint64_t{1}
                             << 30; // of a core; a program that loops for ever ends there
  unsigned threads = 1;             // of the host, in functional mode; results do not depend on it
};

class Machine {
public:
  static Result<std::unique_ptr<Machine>> create(Device device);
  ~Machine();

  const Device &device() const;
  GlobalMemory &memory();

  // Copies between host memory and device memory. Bytes that were never written cannot be read.
  Status write(uint64_t address, std::span<const std::byte> source);
  Status read(uint64_t address, std::span<std::byte> target) const;

  // Runs blocks of a kernel to their end. `args`: addresses of buffers and values of scalars, in
  // the kernel's order; `workspace` has the kernel's workspaceBytes (0 where it needs none). After
  // an error what the kernel wrote before it stays.
  Result<Report> launch(const Kernel &kernel, std::span<const uint64_t> args, uint64_t workspace,
                        const LaunchOptions &options);

private:
  Machine();
  struct State;
  std::unique_ptr<State> state;
};

} // namespace npu
