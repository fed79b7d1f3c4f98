// What rows are in memory: those that products take, and those that other kernels leave for them.
#pragma once

#include "backends/x86/kernels/frame.h"

namespace lathe::x86 {

// Steps: [ceil(columns / 32)][stride][32] of bf16, so that AMX takes as
// many rows as it likes of 32 columns as they lie; zeros behind the last column. i8: codes of
// quantised rows.
struct RowsIn {
  enum Kind : int64_t { f32 = 0, bf16 = 1, bf16_steps = 2, i8 = 3 };
};
constexpr int64_t step_columns = 32;
constexpr int64_t step_row_bytes = 2 * step_columns;
// The stride of steps: tiles of rows may reach 15 rows too far, and steps that are a power of two
// apart would share a few lines of a cache.
constexpr int64_t stepStride(int64_t max_rows) { return max_rows + 16; }
constexpr int64_t stepsBytes(int64_t max_rows, int64_t columns) {
  return ceilDiv(columns, step_columns) * stepStride(max_rows) * step_row_bytes;
}

constexpr int64_t valueBytes(int64_t rows_in) {
  return rows_in == RowsIn::f32 ? 4 : rows_in == RowsIn::i8 ? 1 : 2;
}
// From a row to the next, and from a row's first column to another.
constexpr int64_t rowBytes(int64_t rows_in, int64_t stride) {
  return rows_in == RowsIn::bf16_steps ? step_row_bytes : stride * valueBytes(rows_in);
}
constexpr int64_t columnBytes(int64_t rows_in, int64_t stride, int64_t column) {
  return rows_in == RowsIn::bf16_steps
             ? column / step_columns * stride * step_row_bytes + column % step_columns * 2
             : column * valueBytes(rows_in);
}
} // namespace lathe::x86
