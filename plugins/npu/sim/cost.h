// What an instruction costs on its pipe, from the device description alone.
#pragma once

#include "device/device.h"
#include "sim/footprint.h"

namespace npu {

struct Cost {
  double cycles = 0;   // all of it, unless bytes go through global memory
  double conflict = 0; // of cycles: operands that meet in banks
  bool global = false; // then the transfer adds to `cycles`:
  bool writes = false;
  double bytes = 0;           // as the path counts them
  double rate = 0;            // of the path, in bytes a cycle
  double missedRate = 0;      // of what the L2 does not have; 0: no limit
  double missedRowCycles = 0; // of a row that the L2 lacks, at least
  double operations = 0;      // multiplications and additions of the cube
};

Cost costOf(const Device &device, const Issued &issued, const Footprint &accesses);

} // namespace npu
