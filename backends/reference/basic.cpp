#include "backends/reference/basic.h"

#include <algorithm>
#include <cmath>

namespace lathe::reference {

Tensor embedding(const Indices &tokens, const Tensor &table) {
  Tensor result({tokens.shape[0], table.columns()});
  for (int64_t t = 0; t < result.rows(); ++t)
    std::copy_n(table.row(tokens.values[t]), table.columns(), result.row(t));
  return result;
}

Tensor slice(const Tensor &input, int64_t offset, int64_t columns) {
  Tensor result({input.rows(), columns});
  for (int64_t t = 0; t < input.rows(); ++t)
    std::copy_n(input.row(t) + offset, columns, result.row(t));
  return result;
}

Tensor concat(const std::vector<const Tensor *> &inputs) {
  int64_t columns = 0;
  for (const Tensor *input : inputs)
    columns += input->columns();
  Tensor result({inputs[0]->rows(), columns});
  for (int64_t t = 0; t < result.rows(); ++t) {
    float *next = result.row(t);
    for (const Tensor *input : inputs)
      next = std::copy_n(input->row(t), input->columns(), next);
  }
  return result;
}

Tensor add(const Tensor &lhs, const Tensor &rhs) {
  Tensor result = lhs;
  for (size_t i = 0; i < result.values.size(); ++i)
    result.values[i] = lhs.values[i] + rhs.values[i];
  return result;
}

Tensor scale(const Tensor &input, float factor) {
  Tensor result = input;
  for (float &value : result.values)
    value *= factor;
  return result;
}

Tensor swiglu(const Tensor &gate, const Tensor &up) {
  Tensor result = gate;
  for (size_t i = 0; i < result.values.size(); ++i) {
    const double g = gate.values[i];
    result.values[i] = static_cast<float>(g / (1.0 + std::exp(-g)) * up.values[i]);
  }
  return result;
}

Tensor rmsNorm(const Tensor &input, const Tensor &scale, float epsilon) {
  Tensor result(input.shape);
  const int64_t group = scale.shape[0];
  for (size_t begin = 0; begin < input.values.size(); begin += group) {
    const float *x = input.values.data() + begin;
    double sum = 0;
    for (int64_t j = 0; j < group; ++j)
      sum += double{x[j]} * x[j];
    const double root = std::sqrt(sum / group + epsilon);
    for (int64_t j = 0; j < group; ++j)
      result.values[begin + j] = static_cast<float>(x[j] * double{scale.values[j]} / root);
  }
  return result;
}

Tensor ropeTable(const Indices &positions, const std::vector<float> &frequencies, float magnitude) {
  const int64_t half = frequencies.size();
  Tensor result({positions.shape[0], 2 * half});
  for (int64_t t = 0; t < result.rows(); ++t)
    for (int64_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(positions.values[t]) * frequencies[i];
      result.row(t)[i] = static_cast<float>(std::cos(double{angle}) * magnitude);
      result.row(t)[half + i] = static_cast<float>(std::sin(double{angle}) * magnitude);
    }
  return result;
}

Tensor rope(const Tensor &input, const Tensor &table, int64_t head_dim, int64_t offset,
            PairLayout layout) {
  Tensor result = input;
  const int64_t half = table.columns() / 2;
  for (int64_t t = 0; t < input.rows(); ++t)
    for (int64_t head = 0; head < input.columns(); head += head_dim)
      for (int64_t i = 0; i < half; ++i) {
        const int64_t first = head + offset + (layout == PairLayout::half ? i : 2 * i);
        const int64_t second = head + offset + (layout == PairLayout::half ? i + half : 2 * i + 1);
        const double x = input.row(t)[first], y = input.row(t)[second];
        const double cosine = table.row(t)[i], sine = table.row(t)[half + i];
        result.row(t)[first] = static_cast<float>(x * cosine - y * sine);
        result.row(t)[second] = static_cast<float>(x * sine + y * cosine);
      }
  return result;
}

} // namespace lathe::reference
