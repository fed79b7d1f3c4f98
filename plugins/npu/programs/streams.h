// Small kernels for the vector cores: what memory and the vector unit are validated with.
#pragma once

#include "builder/builder.h"

namespace npu {

// c = a + b over `count` elements, in tiles that go round all vector cores, `slots` in flight.
// `apart` puts the two inputs into different bank groups.
Result<Kernel> addKernel(const Device &device, DType type, uint64_t count, unsigned tile,
                         bool apart, unsigned slots = 2);

// Reads a matrix of rows x cols f16 tile by tile; nothing is computed. `toL1`: by the cube cores,
// with conversion to fractals. `offset` moves the first byte off its line.
struct CopyPlan {
  // Tiles go round the cores; or each core reads them all, in one order, or from a place of its own
  // on.
  enum class Order { Once, Same, Staggered };
  uint64_t rows = 0, cols = 0;
  unsigned tileRows = 64, tileCols = 64;
  uint64_t offset = 0;
  bool toL1 = false;
  unsigned repeats = 1; // of the whole
  Order order = Order::Once;
};
Result<Kernel> copyKernel(const Device &device, const CopyPlan &plan);

// Sum of `rows` rows of `cols` f32, each to one number: by halving with vadd down to 64 and one
// reduction, or by reductions of 256 bytes only. Data are on their way to the core at mark 0, the
// sum is there at mark 1.
Result<Kernel> sumKernel(const Device &device, unsigned rows, unsigned cols, bool halving);

} // namespace npu
