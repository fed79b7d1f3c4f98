// Kernels that look at one row at a time. Item = a block of rows. All strides are in elements.
// Elementwise kernels may work in place (result = an input with the same stride).
#pragma once

#include "backends/x86/kernels/rows_in.h"
#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

// result[t] = f32(table[tokens[t]]). The table is row-major in `format` (f32, bf16, f16; no
// padding), or, with `tiled`, the tile16 weight that a tied head uses.
struct EmbeddingParams {
  RowSplit split;
  WeightParams table; // n = vocabulary, k = columns
  int64_t tiled;
  int64_t result_stride;
};
struct EmbeddingOperand {
  enum : int64_t { table, result, count };
};
constexpr Items embeddingItems(const EmbeddingParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(embedding, EmbeddingParams)

// result[i] = input[output_rows[i]]; split.source is output_rows.
struct SelectRowsParams {
  RowSplit split;
  int64_t columns;
  int64_t input_stride;
  int64_t result_stride;
};
struct SelectRowsOperand {
  enum : int64_t { input, result, count };
};
constexpr Items selectRowsItems(const SelectRowsParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(select_rows, SelectRowsParams)

// result[t, b, j] = input[t, b, j] for b < batch, j < columns (slices, concat, parts of heads).
struct CopyColumnsParams {
  RowSplit split;
  int64_t columns;
  int64_t batch;
  int64_t input_stride;
  int64_t input_batch_stride;
  int64_t result_stride;
  int64_t result_batch_stride;
};
struct CopyColumnsOperand {
  enum : int64_t { input, result, count };
};
constexpr Items copyColumnsItems(const CopyColumnsParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(copy_columns, CopyColumnsParams)

// result = lhs + rhs
struct AddParams {
  RowSplit split;
  int64_t columns;
  int64_t lhs_stride;
  int64_t rhs_stride;
  int64_t result_stride;
};
struct AddOperand {
  enum : int64_t { lhs, rhs, result, count };
};
constexpr Items addItems(const AddParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(add, AddParams)

// result = input * factor
struct ScaleParams {
  RowSplit split;
  int64_t columns;
  int64_t factor; // f32 bits
  int64_t input_stride;
  int64_t result_stride;
};
struct ScaleOperand {
  enum : int64_t { input, result, count };
};
constexpr Items scaleItems(const ScaleParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(scale, ScaleParams)

// result = gate * sigmoid(gate) * up
struct SwigluParams {
  RowSplit split;
  int64_t columns;
  int64_t gate_stride;
  int64_t up_stride;
  int64_t result_stride;
};
struct SwigluOperand {
  enum : int64_t { gate, up, result, count };
};
constexpr Items swigluItems(const SwigluParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(swiglu, SwigluParams)

// result = f32(input rounded to nearest even in `format`): bf16 or f16 (or f32: a copy). A result
// that is not f32 in memory (RowsIn) is for products.
struct CastParams {
  RowSplit split;
  int64_t columns;
  int64_t format;
  int64_t input_stride;
  int64_t result_stride;
  int64_t result_in; // RowsIn; f32 unless format is bf16
};
struct CastOperand {
  enum : int64_t { input, result, count };
};
constexpr Items castItems(const CastParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(cast, CastParams)

// Per row and block of columns: s = max(max|x|, 1e-4) / 448, with power_of_two rounded up to one;
// codes[t, j] = the e4m3 nearest to x / s, as f32; scales[t, b] = s. (DeepSeek-V3, act_quant.) With
// the format i8: s = max(max|x|, 1e-30) / 127, codes[t, j] = the integer nearest to x / s.
struct QuantizeParams {
  RowSplit split;
  int64_t columns;
  int64_t format;   // of codes: e4m3 or i8
  int64_t codes_in; // RowsIn: f32, or i8 of that format
  int64_t block;
  int64_t power_of_two; // 0 for i8
  int64_t input_stride;
  int64_t codes_stride;
  int64_t scales_stride; // at least ceil(columns / block)
};
struct QuantizeOperand {
  enum : int64_t { input, codes, scales, count };
};
constexpr Items quantizeItems(const QuantizeParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(quantize, QuantizeParams)

// Per row and group: result[j] = input[j] * scale[j] / sqrt(mean(input^2) + epsilon), j <
// group_size. `scale` is f32 [group_size] (a packed vector), the same for all groups. Groups lie
// side by side. In place is fine where the result is f32.
struct RmsNormParams {
  RowSplit split;
  int64_t groups;
  int64_t group_size;
  int64_t epsilon; // f32 bits
  int64_t input_stride;
  int64_t result_stride;
  int64_t result_in; // RowsIn; f32 where there are several groups
};
struct RmsNormOperand {
  enum : int64_t { input, scale, result, count };
};
constexpr Items rmsNormItems(const RmsNormParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(rms_norm, RmsNormParams)

// angle = f32(f32(positions[t]) * frequencies[i]); result[t, i] = cos(angle) * magnitude,
// result[t, half + i] = sin(angle) * magnitude. result is dense [rows, 2 * half].
struct RopeTableParams {
  RowSplit split;
  int64_t half;      // how many frequencies
  int64_t magnitude; // f32 bits
};
struct RopeTableOperand {
  enum : int64_t { frequencies, result, count }; // f32 [half], in the constants buffer
};
constexpr Items ropeTableItems(const RopeTableParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(rope_table, RopeTableParams)

// Rotates the columns [offset, offset + 2 * half) of each head, copies the others.
// In place (result = input, equal strides) is fine.
struct RopeParams {
  RowSplit split;
  int64_t heads;
  int64_t head_dim;
  int64_t offset;
  int64_t half;
  int64_t pairs; // 0: pair i is (i, i + half), 1: (2i, 2i + 1)
  int64_t input_stride;
  int64_t result_stride;
};
struct RopeOperand {
  enum : int64_t { input, table, result, count }; // table: what rope_table made
};
constexpr Items ropeItems(const RopeParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(rope, RopeParams)

} // namespace lathe::x86
