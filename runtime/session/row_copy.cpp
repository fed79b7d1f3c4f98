#include "runtime/session/row_copy.h"

#include <cstring>

#include "base/status.h"

namespace lathe::runtime {

using artifact::RowsOfCopy;

namespace {

struct Rows {
  char *first;
  uint64_t stride;
};

void copyRows(Rows from, Rows to, uint64_t count, uint64_t bytes) {
  if (from.stride == bytes && to.stride == bytes) {
    std::memcpy(to.first, from.first, count * bytes);
    return;
  }
  for (uint64_t i = 0; i < count; ++i)
    std::memcpy(to.first + i * to.stride, from.first + i * from.stride, bytes);
}

Rows rowsOf(void *memory, const RowCopy::Side &side) {
  return {static_cast<char *>(memory) + side.offset, side.stride};
}

} // namespace

RowCopy::RowCopy(Side from, Side to, const artifact::Copy &shape, int64_t max_rows)
    : from_(from), to_(to), shape_(shape) {
  way_ = isQueued(to, from) ? Way::to_device : isQueued(from, to) ? Way::to_host : Way::mapped;
  if (way_ != Way::mapped)
    staged_.resize(count(max_rows, max_rows) * shape.row_bytes);
}

// Between a device that copies by itself and one whose memory is at hand.
bool RowCopy::isQueued(const Side &side, const Side &other) const {
  return side.queue->copies(side.offset) && !other.queue->copies(other.offset) &&
         side.stride == shape_.row_bytes;
}

uint64_t RowCopy::count(int64_t rows, int64_t output_rows) const {
  int64_t count = shape_.rows == RowsOfCopy::rows          ? rows
                  : shape_.rows == RowsOfCopy::output_rows ? output_rows
                                                           : 1;
  return count * shape_.row_factor;
}

absl::Status RowCopy::copyMapped(uint64_t count) {
  LATHE_RETURN_IF_ERROR(from_.queue->finish());
  LATHE_RETURN_IF_ERROR(to_.queue->finish());
  LATHE_ASSIGN_OR_RETURN(void *source, from_.buffer->map(LATHE_MAP_READ));
  // What is not written must stay: both ways.
  LATHE_ASSIGN_OR_RETURN(void *destination, to_.buffer->map(LATHE_MAP_READ | LATHE_MAP_WRITE));
  copyRows(rowsOf(source, from_), rowsOf(destination, to_), count, shape_.row_bytes);
  LATHE_RETURN_IF_ERROR(to_.buffer->unmap());
  return from_.buffer->unmap();
}

absl::Status RowCopy::start(int64_t rows, int64_t output_rows) {
  const uint64_t rows_here = count(rows, output_rows), bytes = rows_here * shape_.row_bytes;
  if (way_ == Way::mapped)
    return copyMapped(rows_here);
  if (way_ == Way::to_host)
    return from_.queue->toHost({from_.buffer->handle(), from_.offset, bytes}, staged_.data());
  LATHE_ASSIGN_OR_RETURN(void *source, from_.buffer->map(LATHE_MAP_READ));
  copyRows(rowsOf(source, from_), {staged_.data(), shape_.row_bytes}, rows_here, shape_.row_bytes);
  LATHE_RETURN_IF_ERROR(from_.buffer->unmap());
  return to_.queue->toDevice(staged_.data(), {to_.buffer->handle(), to_.offset, bytes});
}

absl::Status RowCopy::finish(int64_t rows, int64_t output_rows) {
  LATHE_ASSIGN_OR_RETURN(void *destination, to_.buffer->map(LATHE_MAP_READ | LATHE_MAP_WRITE));
  copyRows({staged_.data(), shape_.row_bytes}, rowsOf(destination, to_), count(rows, output_rows),
           shape_.row_bytes);
  return to_.buffer->unmap();
}

} // namespace lathe::runtime
