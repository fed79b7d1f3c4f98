// Between floats and codes: see ir/lathe/quantization_ops.td.
#pragma once

#include "backends/reference/value.h"

namespace lathe::reference {

enum class CodeKind { e4m3, i8, i4 };

// Rows to codes of e4m3 or i8, one row and `block_columns` columns a block. `power_of_two`: scales
// are rounded up to one (UE8M0). In f32 throughout, as the kernels that define it (DeepSeek-V3's
// act_quant) do.
Codes quantize(const Tensor &input, CodeKind kind, int64_t block_columns, bool power_of_two);

// A weight of rank 2 or 3 to codes (`stored as` of lathe.weight), with a scale of f32 (e4m3) or f16
// (i8, i4) for each block; a scale that f16 cannot hold is an infinity. In f32 throughout.
Codes quantizeWeight(const Tensor &weight, CodeKind kind, int64_t block_rows,
                     int64_t block_columns);

Tensor dequantize(const Codes &input, Element element = Element::f32);

Tensor cast(const Tensor &input, Element element);

} // namespace lathe::reference
