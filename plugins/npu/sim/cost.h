// What an instruction costs on its pipe, from the device description alone.
#pragma once

#include "device/device.h"
#include "sim/footprint.h"

namespace npu {

struct Cost {
  double cycles = 0;   // all of it, unless bytes go through global memory
  double conflict = 0; // of cycles: operands that meet in a bank group
  bool global = false; // then the transfer adds to `cycles`:
  bool writes = false;
  double bytes = 0;      // as the path counts them
  double rate = 0;       // of the path, in bytes a cycle
  double missedRate = 0; // of what the L2 does not have; 0: no limit
  double operations = 0; // multiplications and additions of the cube
};

// `warm`: the pipe has come from another instruction without a pause, so the head is not paid
// again.
Cost costOf(const Device &device, const Issued &issued, const Footprint &accesses, bool warm);

} // namespace npu
