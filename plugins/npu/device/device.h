// What a chip has and what it costs, read from JSON. Nothing in the simulator asks for a chip's
// name.
#pragma once

#include "isa/program.h"

#include <map>
#include <string>
#include <vector>

namespace npu {

// How a matrix lies in a memory of fractals: capital letters give the order between fractals, small
// letters the order inside of one (16 rows x 32 bytes).
enum class Layout : uint8_t {
  Rows, // row-major
  Zn,   // "zN": column blocks of 32 bytes, each row-major
  Zz,   // "zZ": row blocks of 16, in each the column blocks
  Nz,   // "nZ": of K x N: row blocks of 32 bytes of k, in each blocks of 16 n, k innermost
  Lt,   // "lt": of K x N: blocks of 64 n, n innermost
};

struct MemorySpec {
  std::string name;   // what messages call it
  uint64_t bytes = 0; // 0: the device has none
  uint32_t align = 1;
  CoreKind core = CoreKind::Aic;
  Layout layout = Layout::Rows;
  Space same = Space::GM; // the role that has the storage: itself, or the one it is an alias of
};

// One way between two memories. A transfer takes headCycles each, and bytes / rate. On its way to
// fractals a row takes at least rowCycles; what the L2 does not have comes at missedBytesPerCycle
// at most (0: no limit), and a row of it takes at least missedRowCycles.
struct PathSpec {
  Pipe pipe;
  Space from, to;
  double headCycles;
  double bytesPerCycle;
  double rowCycles;
  double missedBytesPerCycle;
  double missedRowCycles;
};

// slope cycles for each repeat (256 bytes), and head cycles.
struct VectorCost {
  double slope = 1, head = 30;
};

struct VectorSpec {
  unsigned bytesPerCycle = 256;
  uint32_t types = 0;              // arithmetic types, a bit a DType
  std::map<DType, uint32_t> casts; // from -> set of to
  bool histogram = false;          // has vhist
  double readConflictCycles = 0;   // a repeat, where two reads meet in a bank group
  double writeConflictCycles = 0;  // a repeat, where a read and a write meet in a bank
  double countModeCycles = 0;      // where a row is not whole repeats
  unsigned bankGroups = 16;        // neighbouring 32-byte blocks lie in neighbouring groups
  uint64_t bankBytes = 4096;
  bool pipelined = false; // reading what the pipe itself wrote needs pipe_barrier
  std::map<Op, VectorCost> costs;
  VectorCost cost; // of an instruction that is not listed
};

struct CubeTile {
  DType a, b, c;
  unsigned m, k, n;
  double cycles;
};

struct CubeSpec {
  std::vector<CubeTile> tiles;
  double headCycles = 0;
  unsigned maxExtent = 4095;
  const CubeTile *find(DType a, DType b) const;
};

enum class SyncKind : uint8_t { EventFlags, ClassBarriers };

struct SyncSpec {
  SyncKind kind = SyncKind::EventFlags;
  unsigned eventsPerPair = 8;
  unsigned crossFlags = 11;
  unsigned crossMax = 15;
  double crossCycles = 200;
};

// Global memory and the L2 in front of it. Rates are bytes a cycle, of the whole device.
struct GlobalSpec {
  uint64_t bytes = 0;
  double read = 0, readWrite = 0;
  uint64_t l2Bytes = 0;
  unsigned line = 512, ways = 16;
  // Of the L2's time, for a row of less than a line on its way to fractals.
  uint64_t shortRow = 0;
  double l2Read = 0, l2Write = 0;
  double hitCycles = 0, missCycles = 0; // latency; paid where the pipe was empty
  double sharedLines = 0;               // a cycle, of a place that several cores read; 0: no limit
  double misaligned = 1;                // factor on the rate where an address is not line aligned
};

struct Device {
  std::string name, arch, description;
  double clockMhz = 0;
  unsigned groups = 0, aicPerGroup = 0, aivPerGroup = 0;
  std::array<MemorySpec, numSpaces> memory;
  std::array<uint8_t, 2> pipes{}; // a bit a Pipe, for each CoreKind
  unsigned queueDepth = 32;
  std::vector<PathSpec> paths;
  CubeSpec cube;
  VectorSpec vector;
  SyncSpec sync;
  GlobalSpec global;
  double launchMicroseconds = 0, launchPerGroup = 0;
  double startSkew = 0; // cycles from the start of a group to that of the next
  double scalarLoadCycles = 0;

  bool has(CoreKind core, Pipe pipe) const {
    return pipes[static_cast<unsigned>(core)] >> static_cast<unsigned>(pipe) & 1;
  }
  const MemorySpec &spec(Space space) const { return memory[static_cast<unsigned>(space)]; }
  unsigned perGroup(CoreKind core) const {
    return core == CoreKind::Aic ? aicPerGroup : aivPerGroup;
  }
  unsigned cores() const { return groups * (aicPerGroup + aivPerGroup); }
  const PathSpec *path(Pipe pipe, Space from, Space to) const;
  const PathSpec *pathOf(const Instruction &transfer) const; // nullptr where the device has none
  double microseconds(double cycles) const { return cycles / clockMhz; }
};

// What must hold of a kernel on a device: its pipes, memories, paths and types are there. Launching
// checks this first; a code generator can ask earlier.
Status fits(const Device &device, const Kernel &kernel);

// Reads and checks a description; messages name the key.
Result<Device> parseDevice(std::string_view json);

// The descriptions that are built in (devices/*.json), by device name.
Result<Device> builtinDevice(std::string_view name);
std::vector<std::string_view> builtinDeviceNames();
std::string_view builtinDeviceText(std::string_view name); // "" where there is none

} // namespace npu
