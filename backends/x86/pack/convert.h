// Rows of a source in the form in which they are packed. What a conversion means is written at
// `stored as` of lathe.weight; the reference interpreter has it loop for loop, this is the fast
// one, which is tested against it.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "backends/x86/pack/pack.h"

namespace lathe::x86 {

// The source as its packed form describes it, without bytes: the target's format and blocks where
// it has one.
SourceMatrix packedForm(const SourceMatrix &source);

// Rows of `matrix` are those of the source from first_row on. Codes of i8 and i4 are a byte each.
struct RowWindow {
  const SourceMatrix *matrix;
  int64_t first_row;
};

// Memory: the rows asked for, up to whole blocks, and a row of blocks in f32.
class PackedRows {
public:
  explicit PackedRows(const SourceMatrix &source);

  // A window over rows [begin, end) at least, good until the next call. INVALID_ARGUMENT with the
  // place of the first element that is not finite or that the packed form cannot hold.
  absl::StatusOr<RowWindow> window(int64_t begin, int64_t end);

private:
  absl::Status convert(int64_t begin, int64_t end);
  absl::Status convertBlocks(int64_t row, int64_t rows);
  absl::Status roundRow(int64_t row);
  void encodeFloats(int64_t row, int64_t rows, int64_t column, int64_t count, uint8_t *scale_bytes);
  absl::Status encodeIntegers(int64_t row, int64_t column, int64_t count, uint8_t *scale_bytes);

  const SourceMatrix &source_;
  SourceMatrix converted_; // rows [first_row_, first_row_ + converted_.rows)
  int64_t first_row_ = 0;
  std::vector<uint8_t> codes_, scales_;
  std::vector<float> floats_; // [rows of a block][columns]
};

} // namespace lathe::x86
