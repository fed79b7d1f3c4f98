// Element types. The numbers stand in object files: append, never reorder.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace npu {

enum class DType : uint8_t {
  None,
  F32,
  F16,
  Bf16,
  I32,
  I16,
  I8,
  U8,
  E4m3, // e4m3fn: largest 448, NaN 0x7f, no infinity
  E5m2,
  E8m0, // a power of two, biased by 127; 0xff is NaN
  I4,   // two in a byte, the low nibble first
  E2m1, // fp4, two in a byte, the low nibble first
  I64,
};
inline constexpr unsigned numDTypes = 14;

std::string_view name(DType type);
std::optional<DType> dtypeNamed(std::string_view name);

// Bits of one element; 0 for None.
unsigned bitsOf(DType type);

// Bytes of `count` elements, rounded up to whole bytes.
inline uint64_t bytesOf(DType type, uint64_t count) { return (count * bitsOf(type) + 7) / 8; }

bool isFloat(DType type);

// Elements in 32 bytes, the inner extent of a fractal (C0 in vendors' layouts).
inline unsigned elementsPerBlock(DType type) { return 256 / bitsOf(type); }

} // namespace npu
