#include "backends/reference/linear.h"

#include <algorithm>

#include "backends/reference/basic.h"
#include "backends/reference/quantization.h"

namespace lathe::reference {

namespace {

constexpr int64_t kLanes = 8;

float withBias(double sum, const Tensor *bias, int64_t n) {
  return static_cast<float>(bias ? sum + bias->values[n] : sum);
}

// Rows in the inner loop: a row of the weight is read once for all of them.
Tensor linearOfFloats(const Tensor &x, const Tensor &weight, const Tensor *bias) {
  Tensor result({x.rows(), weight.rows()});
  for (int64_t n = 0; n < weight.rows(); ++n)
    for (int64_t t = 0; t < x.rows(); ++t)
      result.row(t)[n] = withBias(dot(x.row(t), weight.row(n), x.columns()), bias, n);
  return result;
}

// Blocks of x and of the weight are one a multiple of the other, so the narrower divides the sum.
double dotOfCodes(const Codes &x, int64_t t, const Codes &weight, int64_t n) {
  const int64_t step = std::min(x.block_columns, weight.block_columns);
  const float *a = x.codes.data() + t * x.columns(), *b = weight.codes.data() + n * x.columns();
  const float *a_scales = x.scales.data() + t * x.scaleColumns();
  const float *b_scales = weight.scales.data() + n / weight.block_rows * weight.scaleColumns();
  double sum = 0;
  for (int64_t k = 0; k < x.columns(); k += step)
    sum += double{a_scales[k / x.block_columns]} * b_scales[k / weight.block_columns] *
           dot(a + k, b + k, std::min(step, x.columns() - k));
  return sum;
}

Tensor linearOfCodes(const Codes &x, const Codes &weight, const Tensor *bias) {
  Tensor result({x.rows(), weight.rows()});
  for (int64_t n = 0; n < weight.rows(); ++n)
    for (int64_t t = 0; t < x.rows(); ++t)
      result.row(t)[n] = withBias(dotOfCodes(x, t, weight, n), bias, n);
  return result;
}

} // namespace

double dot(const float *a, const float *b, int64_t count) {
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] += double{a[i + lane]} * b[i + lane];
  double sum = 0;
  for (double lane : lanes)
    sum += lane;
  for (; i < count; ++i)
    sum += double{a[i]} * b[i];
  return sum;
}

Tensor linear(Matrix x, Matrix weight, const Tensor *bias) {
  const Codes *const *codes = std::get_if<const Codes *>(&weight);
  if (!codes)
    return linearOfFloats(*std::get<const Tensor *>(x), *std::get<const Tensor *>(weight), bias);
  if (const Codes *const *x_codes = std::get_if<const Codes *>(&x))
    return linearOfCodes(**x_codes, **codes, bias);
  return linearOfFloats(*std::get<const Tensor *>(x), dequantize(**codes), bias);
}

Tensor gatedLinear(Matrix x, Matrix gate, Matrix up, const Tensor *gate_bias,
                   const Tensor *up_bias) {
  return swiglu(linear(x, gate, gate_bias), linear(x, up, up_bias));
}

} // namespace lathe::reference
