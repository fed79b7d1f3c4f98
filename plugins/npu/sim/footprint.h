// The bytes that an instruction touches: the one account of it, from which bounds, alignment,
// overlap, uninitialised reads and hazards are all checked.
#pragma once

#include "device/device.h"
#include "sim/issued.h"

#include <vector>

namespace npu {

// `count` runs of `run` bytes, `stride` apart.
struct Access {
  uint8_t operand = 0; // place of the operand it comes from
  Space space = Space::GM;
  bool read = false, write = false;
  Atomic atomic = Atomic::None;
  bool anyOrder = false; // an atomic whose result does not depend on the order
  uint16_t align = 0;    // of base; 0: what the memory asks for
  uint64_t base = 0, run = 0, count = 1, stride = 0;

  bool empty() const { return !run || !count; }
  uint64_t end() const { return base + (count - 1) * stride + run; }
};

using Footprint = std::vector<Access>;

// Gives the values of i32 indices in a core's memory, which decide what a gather touches. Null
// where a run has no data; rows 0, 1, 2, ... stand in for them.
class IndexReader {
public:
  virtual ~IndexReader() = default;
  virtual int32_t indexAt(uint64_t ubAddress) const = 0;
};

// Fills `out`, or says what is wrong with the numbers: negative, beyond what the unit takes, not
// whole blocks, an index outside of its table.
Status footprint(const Device &device, const Issued &issued, const IndexReader *indices,
                 Footprint &out);

// Whether output may be the same bytes as an input (and nothing in between the same and disjoint).
bool worksInPlace(Form form);

} // namespace npu
