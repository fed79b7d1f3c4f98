// How row kernels walk: each row of the items [begin, end), and 16 columns at a time in it.
#pragma once

#include "backends/x86/kernels/rows.h"
#include "backends/x86/kernels/simd.h"

namespace lathe::x86 {

template <typename Body>
LATHE_INLINE void eachRow(const Frame *frame, const RowSplit &split, int64_t begin, int64_t end,
                          Body body) {
  int64_t per_item = split.source ? split.rows_per_item : 1;
  int64_t total = rowCount(*frame, split.source) * (split.source ? split.factor : 1);
  for (int64_t row = begin * per_item, last = smaller(total, end * per_item); row < last; ++row)
    body(row);
}

// body(column, lanes): lanes is 16 but for the last columns.
template <typename Body> LATHE_INLINE void eachVector(int64_t columns, Body body) {
  int64_t column = 0;
  for (; column + 16 <= columns; column += 16)
    body(column, int64_t{16});
  if (column < columns)
    body(column, columns - column);
}

} // namespace lathe::x86
