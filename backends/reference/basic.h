// Rows, norms, elementwise ops and rotary embedding, as ir/lathe/basic_ops.td defines them. Each
// function computes in f64 from f32 operands and rounds once, to f32, at its result. Shapes fit and
// indices are in range: the interpreter has checked them.
#pragma once

#include <vector>

#include "backends/reference/value.h"

namespace lathe::reference {

Tensor embedding(const Indices &tokens, const Tensor &table); // also select_rows: input[rows[i]]
Tensor slice(const Tensor &input, int64_t offset, int64_t columns);
Tensor concat(const std::vector<const Tensor *> &inputs);
Tensor add(const Tensor &lhs, const Tensor &rhs);
Tensor scale(const Tensor &input, float factor);
Tensor swiglu(const Tensor &gate, const Tensor &up);
Tensor rmsNorm(const Tensor &input, const Tensor &scale, float epsilon);

// [T, d]: d/2 cosines, d/2 sines. The angle is an f32 product, as in the models' own code.
Tensor ropeTable(const Indices &positions, const std::vector<float> &frequencies, float magnitude);

enum class PairLayout { half, pairs };
Tensor rope(const Tensor &input, const Tensor &table, int64_t head_dim, int64_t offset,
            PairLayout layout);

} // namespace lathe::reference
