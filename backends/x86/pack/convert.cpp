#include "backends/x86/pack/convert.h"

#include <algorithm>
#include <cstring>

#include "backends/x86/pack/encode.h"
#include "backends/x86/pack/source.h"
#include "base/status.h"

namespace lathe::x86 {
namespace {

constexpr float e4m3_largest = 448.0f;

// A row as f32: codes times scales. Both must be finite.
absl::Status readRow(const SourceMatrix &source, int64_t row, float *out) {
  const uint8_t *codes = source.codes.data() + row * source.columns * formatBytes(source.format);
  LATHE_RETURN_IF_ERROR(checkFinite(source.format, codes, source.columns,
                                    [&](int64_t i) { return elementName(source, row, i); }));
  decodeRun(source.format, codes, source.columns, out);
  if (!source.has_scales)
    return absl::OkStatus();
  for (int64_t begin = 0; begin < source.columns; begin += source.block_columns) {
    float scale = scaleAt(source, row, begin);
    LATHE_RETURN_IF_ERROR(checkScale(scale, source, row, begin));
    for (int64_t i = begin, end = std::min(begin + source.block_columns, source.columns); i < end;
         ++i)
      out[i] *= scale;
  }
  return absl::OkStatus();
}

} // namespace

SourceMatrix packedForm(const SourceMatrix &source) {
  SourceMatrix form = source;
  if (source.target) {
    form.format = source.target->format;
    form.has_scales = source.target->block_rows != 0;
    form.scale_type = isInteger(form.format) ? ScaleType::f16 : ScaleType::f32;
    form.block_rows = source.target->block_rows;
    form.block_columns = source.target->block_columns;
    form.codes = form.scales = {};
    form.target.reset();
  }
  return form;
}

PackedRows::PackedRows(const SourceMatrix &source)
    : source_(source), converted_(packedForm(source)) {
  converted_.rows = 0;
}

absl::StatusOr<RowWindow> PackedRows::window(int64_t begin, int64_t end) {
  if (!source_.target)
    return RowWindow{&source_, 0};
  if (begin < first_row_ || end > first_row_ + converted_.rows)
    LATHE_RETURN_IF_ERROR(convert(begin, end));
  return RowWindow{&converted_, first_row_};
}

// Whole blocks around rows [begin, end).
absl::Status PackedRows::convert(int64_t begin, int64_t end) {
  int64_t block = std::max<int64_t>(std::min(source_.target->block_rows, source_.rows), 1);
  first_row_ = begin / block * block;
  converted_.rows = std::min(roundUp(end, block), source_.rows) - first_row_;
  codes_.resize(
      static_cast<size_t>(converted_.rows * source_.columns * formatBytes(converted_.format)));
  converted_.codes = codes_;
  if (converted_.has_scales) {
    int64_t blocks = ceilDiv(converted_.rows, converted_.block_rows) *
                     ceilDiv(source_.columns, converted_.block_columns);
    scales_.resize(static_cast<size_t>(blocks * scaleBytes(converted_.scale_type)));
    converted_.scales = scales_;
  }
  floats_.resize(static_cast<size_t>(block * source_.columns));
  for (int64_t row = 0; row < converted_.rows; row += block)
    LATHE_RETURN_IF_ERROR(convertBlocks(row, std::min(block, converted_.rows - row)));
  return absl::OkStatus();
}

// Rows [row, row + rows) of the window, which are a row of blocks or one row without blocks.
absl::Status PackedRows::convertBlocks(int64_t row, int64_t rows) {
  for (int64_t r = 0; r < rows; ++r)
    LATHE_RETURN_IF_ERROR(
        readRow(source_, first_row_ + row + r, floats_.data() + r * source_.columns));
  if (!converted_.has_scales)
    return roundRow(row);
  int64_t blocks = ceilDiv(source_.columns, converted_.block_columns);
  uint8_t *scales =
      scales_.data() + row / converted_.block_rows * blocks * scaleBytes(converted_.scale_type);
  for (int64_t b = 0; b < blocks; ++b) {
    int64_t column = b * converted_.block_columns;
    int64_t count = std::min(converted_.block_columns, source_.columns - column);
    if (isInteger(converted_.format))
      LATHE_RETURN_IF_ERROR(encodeIntegers(row, column, count, scales + b * 2));
    else
      encodeFloats(row, rows, column, count, scales + b * 4);
  }
  return absl::OkStatus();
}

absl::Status PackedRows::roundRow(int64_t row) {
  uint8_t *codes = codes_.data() + row * source_.columns * 2;
  encodeBf16(floats_.data(), source_.columns, reinterpret_cast<uint16_t *>(codes));
  auto where = [&](int64_t i) { return elementName(source_, first_row_ + row, i) + ", rounded,"; };
  return checkFinite(Format::bf16, codes, source_.columns, where);
}

// A block with one scale for all its rows.
void PackedRows::encodeFloats(int64_t row, int64_t rows, int64_t column, int64_t count,
                              uint8_t *scale_bytes) {
  float largest = 0;
  for (int64_t r = 0; r < rows; ++r)
    largest =
        std::max(largest, largestMagnitude(floats_.data() + r * source_.columns + column, count));
  float scale = largest / e4m3_largest == 0 ? 1.0f : largest / e4m3_largest;
  std::memcpy(scale_bytes, &scale, sizeof(scale));
  for (int64_t r = 0; r < rows; ++r)
    encodeE4m3(floats_.data() + r * source_.columns + column, count, scale,
               codes_.data() + (row + r) * source_.columns + column);
}

absl::Status PackedRows::encodeIntegers(int64_t row, int64_t column, int64_t count,
                                        uint8_t *scale_bytes) {
  auto *codes = reinterpret_cast<int8_t *>(codes_.data() + row * source_.columns + column);
  const float *values = floats_.data() + column;
  uint16_t scale = converted_.format == Format::i8 ? encodeQ8_0(values, count, codes)
                                                   : encodeQ4_0(values, count, codes);
  std::memcpy(scale_bytes, &scale, sizeof(scale));
  if (isFiniteCode(Format::f16, scale))
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      elementName(source_, first_row_ + row, column), " begins a block whose largest number is ",
      largestMagnitude(values, count), "; f16 cannot hold its scale"));
}

} // namespace lathe::x86
