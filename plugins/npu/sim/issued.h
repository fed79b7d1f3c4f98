// An instruction on its way through a pipe: operands are numbers by now.
#pragma once

#include "isa/program.h"
#include "sim/clock.h"

namespace npu {

struct Issued {
  const Instruction *in = nullptr;
  const OpInfo *info = nullptr;
  std::array<int64_t, maxOperands> v{};
  uint32_t index = 0;      // in the code
  uint32_t unitBefore = 0; // instructions with unit flag that the other of M and FIX had before
  double time = 0;         // cycle at which the scalar unit hands it over
  Clock known;             // of the scalar unit at that moment

  Op op() const { return in->op; }
  Form form() const { return info->form; }
  bool flag(std::string_view name) const { return in->flags & info->flag(name); }
};

// Operands of rows x cols instructions, with strides in bytes resolved (-1 becomes dense rows).
struct Rows {
  int64_t address = 0, stride = 0;
};
struct Elementwise {
  int64_t rows = 0, cols = 0;
  DType type = DType::None, outType = DType::None;
  Rows dst, a, b, mask;
  int64_t scalar = 0;
  bool blockB = false; // b is one block a row
};
Elementwise elementwise(const Issued &issued);

// Extents of a product in the fractals that hold it.
struct Product {
  int64_t m, n, k;
  DType a, b;
  int64_t rows16() const { return (m + 15) / 16 * 16; }
  int64_t columns16() const { return (n + 15) / 16 * 16; }
  int64_t blocksA() const { return (k + elementsPerBlock(a) - 1) / elementsPerBlock(a); }
  int64_t blocksB() const { return (k + elementsPerBlock(b) - 1) / elementsPerBlock(b); }
};
Product product(const Issued &issued); // of mmad and mmad.mx

// Unsigned inside, because operands are rounded before they are checked.
inline int64_t ceilDiv(int64_t value, int64_t unit) {
  return static_cast<int64_t>((static_cast<uint64_t>(value) + static_cast<uint64_t>(unit) - 1) /
                              static_cast<uint64_t>(unit));
}
inline int64_t roundUp(int64_t value, int64_t unit) {
  return static_cast<int64_t>(static_cast<uint64_t>(ceilDiv(value, unit)) *
                              static_cast<uint64_t>(unit));
}

} // namespace npu
