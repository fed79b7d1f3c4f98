// Results in the form in which products take rows (RowsIn).
#pragma once

#include "backends/x86/kernels/number.h"
#include "backends/x86/kernels/rows_in.h"

namespace lathe::x86 {

// Where a kernel puts a row of its result.
struct StoredRows {
  char *at;
  int64_t rows_in;
  int64_t stride; // in values, or of steps
  int64_t columns;

  LATHE_INLINE void store16At(int64_t row, int64_t column, f32x16 value) const {
    storeSomeAt(row, column, smaller<int64_t>(16, columns - column), value);
  }
  // `here` columns, 16 at most, from `column` on, a multiple of 16 where a form is bf16; that
  // rounds. Behind the last column steps get zeros: AMX multiplies whole ones.
  LATHE_INLINE void storeSomeAt(int64_t row, int64_t column, int64_t here, f32x16 value) const {
    char *to = at + row * rowBytes(rows_in, stride) + columnBytes(rows_in, stride, column);
    if (rows_in == RowsIn::f32)
      return storeSome(reinterpret_cast<float *>(to), value, here);
    u16x16 narrow = narrowBf16(roundBf16(value));
    storeSome(reinterpret_cast<uint16_t *>(to), narrow, here);
    if (rows_in == RowsIn::bf16_steps && column + 16 >= columns)
      for (int64_t i = column % step_columns + here; i < step_columns; ++i)
        store(to + (i - column % step_columns) * 2, uint16_t{0});
  }
};

} // namespace lathe::x86
