// A product C = A B^T as a kernel: A is M x K, B is N x K (weights as they are stored; or with
// `kByN` K x N), C is M x N, all row-major. The program that the timing model is validated with,
// and the pattern to copy for others.
#pragma once

#include "builder/builder.h"

namespace npu {

struct GemmPlan {
  uint64_t m = 0, n = 0, k = 0;
  DType type = DType::F16, out = DType::F16;
  unsigned tileM = 128, tileN = 256, tileK = 64; // of the cube
  unsigned stepK = 4;                            // tiles of k that L1 takes at once
  unsigned slotsL1 = 2, slotsL0 = 2;
  bool kByN = false;     // how B lies; not with blockScales
  bool unitFlag = false; // the cube goes on while results are taken out
  // Rows of tiles that are walked together, so that L2 keeps what they share.
  unsigned groupRows = 1;
  // An area of C for each core, of so many rows and columns (0: tiles go round the cores), which it
  // walks down its columns of tiles, or with `alongRows` along its rows: once for all rows of A, or
  // for one of `parts` after the other.
  uint64_t areaM = 0, areaN = 0;
  bool alongRows = false;
  unsigned parts = 1;
  bool blockScales = false; // mmad.mx, scales of E8M0: arguments sa [M, K/32] and sb [N, K/32]
};

// Arguments: a, b, c; with blockScales sa and sb as well. Launch it with any number of blocks; with
// areas, with one for each of a part.
Result<Kernel> gemm(const Device &device, const GemmPlan &plan);

} // namespace npu
