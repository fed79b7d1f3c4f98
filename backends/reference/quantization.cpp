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

} // namespace

Codes quantize(const Tensor &input, int64_t block_columns, bool power_of_two) {
  Codes result{input.shape, 1, block_columns, {}, {}};
  for (int64_t t = 0; t < input.rows(); ++t)
    for (int64_t begin = 0; begin < input.columns(); begin += block_columns) {
      const float *x = input.row(t) + begin;
      const int64_t count = std::min(block_columns, input.columns() - begin);
      float scale = std::max(largestMagnitude(x, count), 1e-4f) / 448.0f;
      if (power_of_two)
        scale = roundedUpToPowerOfTwo(scale);
      result.scales.push_back(scale);
      for (int64_t j = 0; j < count; ++j)
        result.codes.push_back(f32FromE4m3(e4m3FromF32(x[j] / scale)));
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
