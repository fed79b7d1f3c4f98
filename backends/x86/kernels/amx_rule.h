// Which products of many rows are made on AMX, and how many rows at a time: plain C++, for the
// kernel (many_rows_amx.h) and for the compiler, which tells of it.
#pragma once

#include "backends/x86/kernels/linear.h"

namespace lathe::x86 {

constexpr int64_t amx_k = 32;            // of one product of tiles
constexpr int64_t amx_x_bytes = 1 << 20; // terms of a block of rows: half of L2
constexpr int64_t amx_rows = 256;        // of a block

constexpr bool isExactInBf16(int64_t format) {
  return format != Format::f32 && format != Format::f16;
}

// In how many bf16 a value of x is cut.
constexpr int64_t amxTerms(const XParams &xp) { return xp.activations == Activations::f32 ? 3 : 1; }
// Products of tiles along k.
constexpr int64_t amxSteps(const WeightParams &w, const XParams &xp) {
  int64_t block = sumBlock(w, xp);
  return w.k / block * ceilDiv(block, amx_k) + ceilDiv(w.k % block, amx_k);
}
// Whether rows are multiplied as they lie: all steps of a block of k begin where steps in memory
// do.
constexpr bool takesRowsAsTheyLie(const WeightParams &w, const XParams &xp) {
  int64_t block = sumBlock(w, xp);
  return xp.rows_in == RowsIn::bf16_steps && (block % amx_k == 0 || block >= w.k);
}
// The most rows whose terms, of two bytes each, have room.
constexpr int64_t amxMaxRows(const WeightParams &w, const XParams &xp) {
  if (takesRowsAsTheyLie(w, xp))
    return amx_rows;
  int64_t steps = amxSteps(w, xp) > 1 ? amxSteps(w, xp) : 1;
  int64_t fit = amx_x_bytes / (steps * amxTerms(xp) * amx_k * 2);
  return fit < 32 ? fit / 2 * 2 : fit < amx_rows ? fit / 32 * 32 : amx_rows;
}
// Not the transposed kv_b of integers, whose scales change with each k, nor rows of i8 with weights
// that are no integers.
constexpr bool takesAmx(const WeightParams &w, const XParams &xp) {
  bool whole_steps = !isInteger(w.format) || w.scale_block_k % amx_k == 0 || w.scale_block_k >= w.k;
  return isExactInBf16(w.format) && whole_steps && xp.rows_in != RowsIn::i8 &&
         amxMaxRows(w, xp) > 0;
}

} // namespace lathe::x86
