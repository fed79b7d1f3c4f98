// Products of rows with packed weights.
#pragma once

#include "backends/x86/kernels/rows_in.h"
#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

// What the values of x are known to be.
struct Activations {
  enum Kind : int64_t {
    f32 = 0,
    bf16 = 1, // each value is exact in bf16 (kernel `cast`)
    w8a8 = 2, // each value is an e4m3 number, or an integer of 8 bits; x_scales hold a scale a row
              // and x_block (kernel `quantize`)
  };
};

// How the rows of x enter a product.
struct XParams {
  int64_t activations;
  int64_t stride;
  int64_t block; // w8a8: columns that share a scale; it and the weight's scale_block_k divide one
                 // another, or scale_block_k is k. Else 0
  int64_t scale_stride; // w8a8: floats between the scales of two rows
  int64_t rows_in;      // RowsIn
};

// From a row to the next.
constexpr int64_t rowBytes(const XParams &x) { return rowBytes(x.rows_in, x.stride); }

constexpr int64_t longest_block = 256; // of k, that are summed before scales come in

// How many k are summed before scales come in.
constexpr int64_t sumBlock(const WeightParams &w, const XParams &x) {
  int64_t whole = x.block ? x.block : 128;
  int64_t block = w.scale_mode == ScaleMode::none || w.scale_block_k >= w.k ? whole
                  : w.scale_block_k <= longest_block                        ? w.scale_block_k
                                                                            : 128;
  return x.block && block > x.block ? x.block : block;
}

constexpr int64_t i8_block = 32; // columns that share a scale of rows of integers

// Whether products of many rows are made in integers.
constexpr bool takesIntegers(const WeightParams &w, const XParams &x) {
  return x.rows_in == RowsIn::i8 && isInteger(w.format) && sumBlock(w, x) == i8_block;
}

// For b < batch: result[t, b] = x[t, b] weight[b]^T + bias[b] + residual[t, b], over the rows of
// row_source. Sums run along k in a fixed order (product.h). Item = tiles_per_item tiles of one
// matrix. result may be the residual itself.
struct LinearParams {
  WeightParams weight;
  XParams x;
  int64_t row_source;
  int64_t row_factor; // rows = count(row_source) * row_factor
  int64_t has_bias;
  int64_t has_residual;
  int64_t result_stride; // and the residual's
  int64_t batch;         // matrices; 1 for a plain product
  int64_t x_batch_stride;
  int64_t result_batch_stride; // and the residual's
  int64_t tiles_per_item;
};
struct LinearOperand {
  // bias: f32 [batch, n]; x_scales, bias, residual: no_operand where absent. result first of all
  // written; x and result may not overlap.
  enum : int64_t { x, x_scales, weight, bias, residual, result, count };
};
constexpr Items linearItems(const LinearParams &p) {
  return {p.batch * ceilDiv(tileCount(p.weight.n), p.tiles_per_item), 1, 1, RowSource::none};
}
LATHE_X86_KERNEL(linear, LinearParams)

// result = swiglu(x gate^T + gate_bias, x up^T + up_bias). gate and up have one layout.
struct GatedLinearParams {
  WeightParams weight;
  XParams x;
  int64_t row_source;
  int64_t has_bias;
  int64_t result_stride;
  int64_t result_in; // RowsIn
  int64_t tiles_per_item;
};
struct GatedLinearOperand {
  enum : int64_t { x, x_scales, gate, up, gate_bias, up_bias, result, count };
};
constexpr Items gatedLinearItems(const GatedLinearParams &p) {
  return {ceilDiv(tileCount(p.weight.n), p.tiles_per_item), 1, 1, RowSource::none};
}
LATHE_X86_KERNEL(gated_linear, GatedLinearParams)

} // namespace lathe::x86
