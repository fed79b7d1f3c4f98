// The small floating point formats as bit patterns: exact decoding to f32, and rounding from f32.
// One definition for readers, packers and the reference interpreter; kernels have faster ones,
// which are tested against these. Plain functions of their argument, no state, no dependencies.
//
// e4m3 is the "fn" variant of OCP FP8: bias 7, no infinity, NaN = 0x7f and 0xff, largest value 448.
// e5m2 is IEEE-like: bias 15, infinities, largest finite value 57344. e8m0 (MX scales) is a power
// of two, 2^(code - 127), NaN = 0xff; it has neither zero nor sign.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace lathe {

inline float f32FromBits(uint32_t bits) { return std::bit_cast<float>(bits); }
inline uint32_t bitsOfF32(float value) { return std::bit_cast<uint32_t>(value); }

inline float f32FromBf16(uint16_t code) { return f32FromBits(static_cast<uint32_t>(code) << 16); }

namespace detail {

// A format with sign, `exponent_bits` and `mantissa_bits`, without its special codes. Every value
// of a format this small is exact in f32.
inline float f32FromSmall(uint32_t code, int exponent_bits, int mantissa_bits) {
  uint32_t mantissa = code & ((1u << mantissa_bits) - 1);
  uint32_t exponent = (code >> mantissa_bits) & ((1u << exponent_bits) - 1);
  bool negative = (code >> (exponent_bits + mantissa_bits)) & 1;
  int bias = (1 << (exponent_bits - 1)) - 1;
  uint32_t significand = exponent == 0 ? mantissa : mantissa | (1u << mantissa_bits);
  int power = static_cast<int>(exponent == 0 ? 1 : exponent) - bias - mantissa_bits;
  float magnitude = std::ldexp(static_cast<float>(significand), power);
  return negative ? -magnitude : magnitude;
}

} // namespace detail

inline float f32FromF16(uint16_t code) {
  if ((code & 0x7c00) == 0x7c00) // infinity or NaN: the same fields, wider
    return f32FromBits((code & 0x8000u) << 16 | 0x7f800000u | (code & 0x3ffu) << 13);
  return detail::f32FromSmall(code, 5, 10);
}

inline float f32FromE4m3(uint8_t code) {
  if ((code & 0x7f) == 0x7f)
    return std::numeric_limits<float>::quiet_NaN();
  return detail::f32FromSmall(code, 4, 3);
}

inline float f32FromE5m2(uint8_t code) {
  if ((code & 0x7c) == 0x7c)
    return f32FromBits((code & 0x80u) << 24 | 0x7f800000u | (code & 0x3u) << 21);
  return detail::f32FromSmall(code, 5, 2);
}

inline float f32FromE8m0(uint8_t code) {
  if (code == 0xff)
    return std::numeric_limits<float>::quiet_NaN();
  return std::ldexp(1.0f, static_cast<int>(code) - 127);
}

// Round to nearest, ties to even. A NaN stays a (quiet) NaN; what is too large becomes infinity.
inline uint16_t bf16FromF32(float value) {
  uint32_t bits = bitsOfF32(value);
  if (std::isnan(value))
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Round to nearest, ties to even. A NaN stays a (quiet) NaN; what is too large becomes infinity.
inline uint16_t f16FromF32(float value) {
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value))
    return sign | 0x7e00;
  float magnitude = std::fabs(value);
  if (magnitude >= 65520.0f) // half way from the largest number to what would be next
    return sign | 0x7c00;
  if (magnitude < 0x1p-14f) { // multiples of 2^-24, the last place of numbers in [0.5, 1)
    uint32_t units = bitsOfF32(magnitude + 0.5f) - bitsOfF32(0.5f);
    return sign | static_cast<uint16_t>(units);
  }
  uint32_t bits = bitsOfF32(magnitude);
  return sign | static_cast<uint16_t>(((bits + 0xfff + (bits >> 13 & 1)) >> 13) - (112 << 10));
}

// Round to nearest, ties to even. NaN stays NaN; beyond 448, infinities too, it saturates at 448.
inline uint8_t e4m3FromF32(float value) {
  uint8_t sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value))
    return sign | 0x7f;
  float magnitude = std::fabs(value);
  if (magnitude >= 448.0f)
    return sign | 0x7e;
  int exponent = magnitude < 0x1p-6f ? -6 : std::ilogb(magnitude);
  // In units of the last place: 8..15 for normal numbers, 0..7 for subnormal ones. nearbyint rounds
  // ties to even, and a carry into the next exponent comes out right because the fields are
  // adjacent.
  int units = static_cast<int>(std::nearbyint(std::ldexp(magnitude, 3 - exponent)));
  int code = (exponent + 6) * 8 + units;
  return sign | static_cast<uint8_t>(code > 0x7e ? 0x7e : code);
}

} // namespace lathe
