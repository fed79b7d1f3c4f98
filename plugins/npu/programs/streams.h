// Small kernels for the vector cores: what memory and the vector unit are validated with.
#pragma once

#include "builder/builder.h"

namespace npu {

// c = a + b, a run of tiles for each vector core, `slots` in flight. The two inputs of a tile
// lie behind each other. `nocache`: they go past the L2.
struct AddPlan {
  DType type = DType::F16;
  uint64_t count = 0; // whole tiles
  unsigned tile = 1024, slots = 2;
  bool nocache = false;
};
Result<Kernel> addKernel(const Device &device, const AddPlan &plan);

// c = a + b over 4096 f32 in the UB, 1000 times between mark 0 and mark 1, from operands at the
// places that are given. `block`: a is one block of 32 bytes in each row of 64, `step` bytes from
// row to row.
struct BankPlan {
  uint64_t a = 0, b = 0, c = 0;
  bool block = false;
  unsigned step = 32;
};
Result<Kernel> bankKernel(const Device &device, const BankPlan &plan);

// Reads a matrix of rows x cols f16 tile by tile; nothing is computed. `toL1`: by the cube cores,
// with conversion to fractals. `offset` moves the first byte off its line.
struct CopyPlan {
  // A run of tiles, across and then down, for each core; or each core reads them all, in one order,
  // or from a place of its own on.
  enum class Order { Runs, Same, Staggered };
  uint64_t rows = 0, cols = 0;
  unsigned tileRows = 64, tileCols = 64;
  uint64_t offset = 0;
  bool toL1 = false;
  bool nocache = false; // past the L2
  unsigned repeats = 1; // of the whole
  Order order = Order::Runs;
};
Result<Kernel> copyKernel(const Device &device, const CopyPlan &plan);

// Sum of `rows` rows of `cols` f32, each to one number: by halving with vadd down to 64 and one
// reduction, or by reductions of 256 bytes only. Data are on their way to the core at mark 0, the
// sum is there at mark 1.
Result<Kernel> sumKernel(const Device &device, unsigned rows, unsigned cols, bool halving);

} // namespace npu
