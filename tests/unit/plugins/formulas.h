// What ops compute, in double precision, as plain loops.
#pragma once

#include <cmath>

#include "tests/unit/plugins/compile_half.h"

namespace lathe::plugins {

// x W^T + b; x has `columns` columns, `bias` may be empty.
inline Floats linear(const Floats &x, const Floats &weight, const Floats &bias, size_t columns) {
  Floats result;
  for (size_t t = 0; t < x.size() / columns; ++t)
    for (size_t n = 0; n < weight.size() / columns; ++n) {
      double sum = bias.empty() ? 0 : bias[n];
      for (size_t k = 0; k < columns; ++k)
        sum += double{x[t * columns + k]} * weight[n * columns + k];
      result.push_back(static_cast<float>(sum));
    }
  return result;
}

// Of groups of columns that are as long as the scale.
inline Floats rmsNorm(const Floats &x, const Floats &scale, double epsilon) {
  Floats result;
  for (size_t begin = 0; begin < x.size(); begin += scale.size()) {
    double squares = 0;
    for (size_t j = 0; j < scale.size(); ++j)
      squares += double{x[begin + j]} * x[begin + j];
    for (size_t j = 0; j < scale.size(); ++j)
      result.push_back(static_cast<float>(x[begin + j] * scale[j] /
                                          std::sqrt(squares / scale.size() + epsilon)));
  }
  return result;
}

} // namespace lathe::plugins
