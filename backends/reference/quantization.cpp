#include "backends/reference/quantization.h"

#include <algorithm>
#include <cmath>

#include "base/float_formats.h"

namespace lathe::reference {

namespace {

float roundedUpToPowerOfTwo(float value) {
  int exponent;
  const float mantissa = std::frexp(value, &exponent); // in [0.5, 1)
  return std::ldexp(1.0f, mantissa == 0.5f ? exponent - 1 : exponent);
}

float largestMagnitude(const float *values, int64_t count) {
  float largest = 0;
  for (int64_t i = 0; i < count; ++i)
    largest = std::max(largest, std::fabs(values[i]));
  return largest;
}

float scaleOfRows(float largest, CodeKind kind, bool power_of_two) {
  if (kind == CodeKind::i8)
    return std::max(largest, 1e-30f) / 127.0f;
  const float scale = std::max(largest, 1e-4f) / 448.0f;
  return power_of_two ? roundedUpToPowerOfTwo(scale) : scale;
}

float codeOfRows(float scaled, CodeKind kind) {
  return kind == CodeKind::i8 ? std::nearbyint(scaled) : f32FromE4m3(e4m3FromF32(scaled));
}

} // namespace

Codes quantize(const Tensor &input, CodeKind kind, int64_t block_columns, bool power_of_two) {
  Codes result{input.shape, 1, block_columns, {}, {}};
  for (int64_t t = 0; t < input.rows(); ++t)
    for (int64_t begin = 0; begin < input.columns(); begin += block_columns) {
      const float *x = input.row(t) + begin;
      const int64_t count = std::min(block_columns, input.columns() - begin);
      const float scale = scaleOfRows(largestMagnitude(x, count), kind, power_of_two);
      result.scales.push_back(scale);
      for (int64_t j = 0; j < count; ++j)
        result.codes.push_back(codeOfRows(x[j] / scale, kind));
    }
  return result;
}

namespace {

// One block of a matrix: rows of `count` elements.
struct Block {
  std::vector<const float *> rows;
  int64_t count;

  // The first of those with the largest magnitude.
  float largest() const {
    float result = 0;
    for (const float *row : rows)
      for (int64_t j = 0; j < count; ++j)
        if (std::fabs(row[j]) > std::fabs(result))
          result = row[j];
    return result;
  }
};

// How the elements of one block become codes.
struct BlockCodes {
  CodeKind kind;
  float d = 0; // before it is rounded to `scale`
  float scale = 0;

  BlockCodes(CodeKind kind, float largest) : kind(kind) {
    d = kind == CodeKind::e4m3 ? std::fabs(largest) / 448.0f
        : kind == CodeKind::i8 ? std::fabs(largest) / 127.0f
                               : largest / -8.0f;
    scale = kind == CodeKind::e4m3 ? (d == 0 ? 1.0f : d) : rounded(d, Element::f16);
  }

  float code(float value) const {
    if (kind == CodeKind::e4m3)
      return f32FromE4m3(e4m3FromF32(value / scale));
    if (scale == 0)
      return 0;
    const float scaled = value * (1.0f / d);
    return kind == CodeKind::i8 ? std::round(scaled)
                                : std::min(std::floor(scaled + 8.5f), 15.0f) - 8.0f;
  }
};

Block blockAt(const Tensor &matrices, int64_t first_row, int64_t last_row, int64_t first_column,
              int64_t block_columns) {
  Block block{{}, std::min(block_columns, matrices.columns() - first_column)};
  for (int64_t row = first_row; row < last_row; ++row)
    block.rows.push_back(matrices.row(row) + first_column);
  return block;
}

} // namespace

Codes quantizeWeight(const Tensor &weight, CodeKind kind, int64_t block_rows,
                     int64_t block_columns) {
  Codes result{weight.shape, block_rows, block_columns, weight.values, {}};
  const int64_t rows = result.rows(), columns = result.columns();
  const int64_t all_rows = static_cast<int64_t>(weight.values.size()) / columns;
  for (int64_t matrix = 0; matrix < all_rows; matrix += rows)
    for (int64_t i = 0; i < rows; i += block_rows)
      for (int64_t j = 0; j < columns; j += block_columns) {
        const int64_t first = matrix + i, last = matrix + std::min(i + block_rows, rows);
        const Block block = blockAt(weight, first, last, j, block_columns);
        const BlockCodes codes(kind, block.largest());
        result.scales.push_back(codes.scale);
        for (int64_t row = first; row < last; ++row)
          for (int64_t column = j; column < j + block.count; ++column)
            result.codes[row * columns + column] = codes.code(weight.row(row)[column]);
      }
  return result;
}

Tensor dequantize(const Codes &input, Element element) {
  Tensor result(input.shape);
  const int64_t rows = input.rows(), columns = input.columns();
  const int64_t scale_rows = input.scaleRows(), scale_columns = input.scaleColumns();
  const int64_t all_rows = columns == 0 ? 0 : result.values.size() / columns;
  for (int64_t row = 0; row < all_rows; ++row) {
    const int64_t matrix = row / rows, i = row % rows;
    const float *scales =
        input.scales.data() + (matrix * scale_rows + i / input.block_rows) * scale_columns;
    for (int64_t j = 0; j < columns; ++j)
      result.values[row * columns + j] =
          rounded(input.codes[row * columns + j] * scales[j / input.block_columns], element);
  }
  return result;
}

Tensor cast(const Tensor &input, Element element) {
  Tensor result = input;
  for (float &value : result.values)
    value = rounded(value, element);
  return result;
}

} // namespace lathe::reference
