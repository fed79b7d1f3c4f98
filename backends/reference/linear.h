// Products of rows with weights [out, in]: see ir/lathe/linear_ops.td.
#pragma once

#include <variant>

#include "backends/reference/value.h"

namespace lathe::reference {

// Rows or a weight as floats or as codes; never null, borrowed for the call.
using Matrix = std::variant<const Tensor *, const Codes *>;

// sum_i a[i] * b[i] in f64, in a fixed order.
double dot(const float *a, const float *b, int64_t count);

// x W^T + bias. Codes on both sides are multiplied as codes, block by block (w8a8); a weight of
// codes with rows of floats is dequantised to f32 first (w8a16). `bias` may be nullptr.
Tensor linear(Matrix x, Matrix weight, const Tensor *bias = nullptr);

// swiglu(x gate^T + gate_bias, x up^T + up_bias).
Tensor gatedLinear(Matrix x, Matrix gate, Matrix up, const Tensor *gate_bias = nullptr,
                   const Tensor *up_bias = nullptr);

} // namespace lathe::reference
