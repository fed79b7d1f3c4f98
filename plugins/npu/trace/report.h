// What a launch took: columns as profilers print them, and spans for a trace viewer.
#pragma once

#include "device/device.h"

#include <algorithm>
#include <string>
#include <vector>

namespace npu {

struct PipeTime {
  double busy = 0;                                   // cycles at work
  double waitFlag = 0, waitMemory = 0, waitBank = 0; // cycles: head held by a flag; slower than the
                                                     // path allows; operands that meet in banks
                                                     // (the last two are part of busy)
  uint64_t instructions = 0;
};

struct CoreTime {
  unsigned block = 0, sub = 0;
  CoreKind kind = CoreKind::Aic;
  double begin = 0, end = 0; // cycles
  double queueFull = 0;      // cycles in which the scalar unit could not hand over
  std::array<PipeTime, numPipes> pipes;
};

struct Span {
  unsigned core; // in Report::cores
  Pipe pipe;
  uint32_t instruction;
  double begin, end; // cycles
};

struct Mark {
  unsigned core;
  int64_t id;
  double time;
};

struct Report {
  bool timed = false;
  double clockMhz = 0;
  double launchMicroseconds = 0; // before the first instruction
  double cycles = 0;             // from then to the end of the last core
  std::vector<CoreTime> cores;
  std::vector<Span> spans; // only where a trace was asked for
  std::vector<Mark> marks;
  double cubeOperations = 0, peakOperationsPerCycle = 0; // of the types that were used
  double memoryBytes = 0, memoryCycles = 0; // over the memory's pins; what they take at least

  double cubeCycles() const; // what its operations take at least
  double boundCycles() const { return std::max(cubeCycles(), memoryCycles); } // the roofline

  double taskMicroseconds() const { return launchMicroseconds + cycles / clockMhz; }
  double coreMicroseconds() const { return cycles / clockMhz; }
  // The busiest core's time on a pipe, as published tables have it.
  double pipeMicroseconds(Pipe pipe) const;
};

// One line of columns under a line of names: task, aicore, mac, mte1, mte2, fixpipe, vec, mte3,
// scalar.
std::string columnsText(const Report &report);
// Which of cube and memory is the limit, and how near the run came to it.
std::string rooflineText(const Report &report);
// Chrome's trace format, which Perfetto opens: a process a core, a thread a pipe.
std::string chromeTrace(const Report &report, const Kernel &kernel);

} // namespace npu
