// Element types of stored tensors, spelled as safetensors spells them.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lathe::frontend {

enum class DType : uint8_t {
  boolean,
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  u64,
  i64,
  f16,
  bf16,
  f32,
  f64,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0,
};

// Bits of one element: 8, 16, 32 or 64 (types of less than a byte are not read yet).
int bits(DType dtype);
inline int bytesPerElement(DType dtype) { return bits(dtype) / 8; }

// "BF16", "F8_E4M3": safetensors' spelling.
absl::string_view name(DType dtype);

bool isFloat(DType dtype);
// 8-bit floats that hold quantised weights: f8_e4m3 and f8_e5m2.
bool isFloat8(DType dtype);

// The type of that name. A type that safetensors knows but this reader does not (F4, C64, ...) is
// UNIMPLEMENTED and named; anything else is INVALID_ARGUMENT.
absl::StatusOr<DType> parseDType(absl::string_view name);

} // namespace lathe::frontend
