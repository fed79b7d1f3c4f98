// Numbers as the chip has them, bit by bit. All of this is exact or rounds to nearest, ties to even
// (RNE), unless a rounding mode says otherwise; no result depends on the host's libm or its
// threads.
#pragma once

#include "isa/op.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace npu {

// The loops over these are made to vectorise: integer operations and selects, no tables, no
// branches.
inline float f16ToF32(uint16_t half) {
  uint32_t magnitude = static_cast<uint32_t>(half & 0x7fff) << 13;
  // The exponent is rebiased by a product, which makes subnormals right as well.
  float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
  uint32_t bits =
      magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : std::bit_cast<uint32_t>(scaled);
  return std::bit_cast<float>(bits | static_cast<uint32_t>(half & 0x8000) << 16);
}

inline uint16_t f32ToF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  // Subnormal results: adding 0.5 puts the last place of the half at the last place of the float.
  uint32_t small = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) -
                   std::bit_cast<uint32_t>(0.5f);
  uint32_t normal = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13;
  uint32_t result = magnitude < 0x38800000u ? small : normal;
  result = magnitude >= 0x477ff000u ? 0x7c00u : result; // 65520 and above
  result = magnitude > 0x7f800000u ? 0x7e00u : result;
  return static_cast<uint16_t>(sign | result);
}

inline float bf16ToF32(uint16_t value) { return std::bit_cast<float>(uint32_t{value} << 16); }

inline uint16_t f32ToBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
  return static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000u ? bits >> 16 | 0x40 : rounded);
}

float e4m3ToF32(uint8_t value);
float e5m2ToF32(uint8_t value);
float e8m0ToF32(uint8_t value);
float e2m1ToF32(uint8_t nibble);
inline float i4ToF32(uint8_t nibble) {
  return static_cast<float>(static_cast<int8_t>(nibble << 4) >> 4);
}

uint8_t f32ToE4m3(float value); // saturates at 448; NaN is 0x7f with the sign
uint8_t f32ToE5m2(float value); // saturates at 57344
uint8_t f32ToE8m0(float value); // nearest power of two at or above; see numerics.cpp

// Rounds to an integer value in the given mode.
float roundF32(float value, Round mode);

// Elements as f32, `count` of them, and back. Four-bit types start at a whole byte. Integers of 32
// bits round to nearest as f32 does. `saturate` concerns f16 only: 65504 instead of infinity.
void toF32(DType type, const std::byte *source, float *target, size_t count);
void fromF32(DType type, const float *source, std::byte *target, size_t count, Round mode,
             bool saturate);

// e^x and ln x by fixed polynomials in double, rounded to f32: within 1 ulp and the same
// everywhere.
float expF32(float value);
float logF32(float value);

} // namespace npu
