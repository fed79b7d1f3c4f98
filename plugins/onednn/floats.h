// Small floats and codes as f32, and f32 rounded to them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <lathe/plugin.h>

namespace onednn {

inline float f32OfBits(uint32_t bits) { return std::bit_cast<float>(bits); }
inline uint32_t bitsOf(float number) { return std::bit_cast<uint32_t>(number); }

// To nearest even. A NaN stays one.
inline uint16_t bf16OfF32(float number) {
  const uint32_t bits = bitsOf(number), half = 0x7fff + (bits >> 16 & 1);
  const bool is_nan = (bits & 0x7fffffff) > 0x7f800000;
  return static_cast<uint16_t>((is_nan ? bits | 0x400000 : bits + half) >> 16);
}

inline float f32OfBf16(uint16_t code) { return f32OfBits(uint32_t{code} << 16); }

// Of a float of so many exponent and fraction bits. With infinities as IEEE has them, or (e4m3)
// with NaN where all bits are set.
inline float f32OfSmall(uint32_t code, int exponent_bits, int fraction_bits, bool has_infinities) {
  const uint32_t fraction = code & ((1u << fraction_bits) - 1);
  const uint32_t top = (1u << exponent_bits) - 1, exponent = code >> fraction_bits & top;
  const uint32_t sign = (code >> (exponent_bits + fraction_bits) & 1) << 31;
  const uint32_t bias = top >> 1, wide = fraction << (23 - fraction_bits);
  if (exponent == top && has_infinities)
    return f32OfBits(sign | 0x7f800000 | wide);
  if (exponent == top && fraction == (1u << fraction_bits) - 1)
    return f32OfBits(sign | 0x7fc00000);
  if (exponent == 0) { // multiples of the smallest number
    const float unit = f32OfBits((128 - bias - fraction_bits) << 23);
    return f32OfBits(sign | bitsOf(static_cast<float>(fraction) * unit));
  }
  return f32OfBits(sign | (exponent + 127 - bias) << 23 | wide);
}

// `number` rounded to f16, to nearest even, as f32.
inline float roundedToF16(float number) {
  if (!std::isfinite(number) || number == 0)
    return number;
  int exponent;
  std::frexp(number, &exponent);                           // |number| < 2^exponent
  const int unit = (exponent < -13 ? -13 : exponent) - 11; // of its last bit
  const float rounded = std::ldexp(std::nearbyint(std::ldexp(number, -unit)), unit);
  return std::fabs(rounded) > 65504 ? std::copysign(INFINITY, number) : rounded;
}

inline float f32OfCode(uint32_t element, const uint8_t *bytes, uint64_t i) {
  uint16_t half;
  switch (element) {
  case LATHE_ELEMENT_F32: {
    float number;
    std::memcpy(&number, bytes + 4 * i, 4);
    return number;
  }
  case LATHE_ELEMENT_BF16: std::memcpy(&half, bytes + 2 * i, 2); return f32OfBf16(half);
  case LATHE_ELEMENT_F16:
    std::memcpy(&half, bytes + 2 * i, 2);
    return f32OfSmall(half, 5, 10, true);
  case LATHE_ELEMENT_E4M3: return f32OfSmall(bytes[i], 4, 3, false);
  case LATHE_ELEMENT_E5M2: return f32OfSmall(bytes[i], 5, 2, true);
  case LATHE_ELEMENT_E8M0:
    return bytes[i] == 0xff ? NAN : std::ldexp(1.0f, static_cast<int>(bytes[i]) - 127);
  case LATHE_ELEMENT_I8: return static_cast<int8_t>(bytes[i]);
  case LATHE_ELEMENT_I4: {
    const int code = bytes[i / 2] >> (i % 2 * 4) & 15;
    return static_cast<float>(code < 8 ? code : code - 16);
  }
  default: return NAN;
  }
}

// `count` numbers; their types are told apart once, and codes of a byte come out of a table.
inline void widen(float *to, const void *from, uint32_t element, uint64_t count) {
  const auto *bytes = static_cast<const uint8_t *>(from);
  if (element == LATHE_ELEMENT_F32) {
    std::memcpy(to, from, count * sizeof(float));
  } else if (element == LATHE_ELEMENT_BF16) {
    for (uint64_t i = 0; i < count; ++i)
      to[i] = f32OfCode(LATHE_ELEMENT_BF16, bytes, i);
  } else if (element == LATHE_ELEMENT_F16 || element == LATHE_ELEMENT_I4 || count < 256) {
    for (uint64_t i = 0; i < count; ++i)
      to[i] = f32OfCode(element, bytes, i);
  } else {
    float table[256];
    for (int code = 0; code < 256; ++code) {
      const uint8_t word[4] = {static_cast<uint8_t>(code)};
      table[code] = f32OfCode(element, word, 0);
    }
    for (uint64_t i = 0; i < count; ++i)
      to[i] = table[bytes[i]];
  }
}

inline void toBf16(uint16_t *to, const float *from, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i)
    to[i] = bf16OfF32(from[i]);
}

} // namespace onednn
