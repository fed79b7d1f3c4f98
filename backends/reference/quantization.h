// Between floats and codes: see ir/lathe/quantization_ops.td.
#pragma once

#include "backends/reference/value.h"

namespace lathe::reference {

// One row and `block_columns` columns a block. `power_of_two`: scales are rounded up to one
// (UE8M0). In f32 throughout, as the kernels that define it (DeepSeek-V3's act_quant) do.
Codes quantize(const Tensor &input, int64_t block_columns, bool power_of_two);

Tensor dequantize(const Codes &input, Element element = Element::f32);

Tensor cast(const Tensor &input, Element element);

} // namespace lathe::reference
