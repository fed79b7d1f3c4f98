#include "runtime/session/row_copy.h"

#include <cstring>

#include "base/status.h"

namespace lathe::runtime {

using artifact::RowsOfCopy;

static uint64_t countOf(const artifact::Copy &shape, int64_t rows, int64_t output_rows) {
  int64_t count = shape.rows == RowsOfCopy::rows          ? rows
                  : shape.rows == RowsOfCopy::output_rows ? output_rows
                                                          : 1;
  return count * shape.row_factor;
}

static void copyRows(const artifact::Copy &shape, uint64_t count, const char *from, char *to) {
  if (shape.from_stride == shape.row_bytes && shape.to_stride == shape.row_bytes) {
    std::memcpy(to, from, count * shape.row_bytes);
    return;
  }
  for (uint64_t i = 0; i < count; ++i)
    std::memcpy(to + i * shape.to_stride, from + i * shape.from_stride, shape.row_bytes);
}

absl::Status RowCopy::run(int64_t rows, int64_t output_rows) const {
  LATHE_ASSIGN_OR_RETURN(void *source, from->map(LATHE_MAP_READ));
  // What is not written must stay: both ways.
  LATHE_ASSIGN_OR_RETURN(void *destination, to->map(LATHE_MAP_READ | LATHE_MAP_WRITE));
  copyRows(shape, countOf(shape, rows, output_rows), static_cast<char *>(source) + from_offset,
           static_cast<char *>(destination) + to_offset);
  LATHE_RETURN_IF_ERROR(to->unmap());
  return from->unmap();
}

} // namespace lathe::runtime
