// A simulated device that is open: its machine, how it runs, and what it keeps for a report.
//
// Options: mode=timed makes every launch cycle-approximate; trace=FILE does the same and writes
// FILE (Chrome's trace format, the first launches) and FILE.txt (a line a kernel: how often, how
// long, which pipe was busiest); threads=N are threads of the host for functional runs; checks=off
// leaves out hazards and uninitialised reads.
#pragma once

#include "plugin/code.h"
#include "plugin/profile.h"
#include "sim/machine.h"

#include <functional>

namespace npu::plugin {

struct Range {
  uint64_t address = 0, size = 0; // of the device
};

// What is bound in a run.
struct Places {
  std::vector<Range> inputs, results;
  Range scratch, weights, state;
  std::vector<uint64_t> weight_offsets;
  uint64_t rows = 1, output_rows = 0;
};

class Session {
public:
  static Result<std::unique_ptr<Session>> open(std::string_view device);

  const Device &device() const { return machine->device(); }
  GlobalMemory &memory() { return machine->memory(); }

  // `observe` is told the label of each launch that is done. A hazard, a refusal or a binding that
  // is too small ends the run.
  Status run(const Code &code, const Entry &entry, const Places &places,
             const std::function<void(const std::string &)> &observe);
  // Writes the report, if one was asked for; what went wrong, or "".
  std::string close();

private:
  Status launch(const Code &code, const Launch &launch, const Places &places);

  std::unique_ptr<Machine> machine;
  LaunchOptions options;
  std::optional<Profile> profile; // where trace=FILE is set
};

} // namespace npu::plugin
