#include "backends/x86/pack/encode.h"

#include <array>
#include <cmath>
#include <cstring>

#include "backends/x86/pack/source.h"
#include "base/float_formats.h"

namespace lathe::x86 {
namespace {

using ByteTable = std::array<float, 256>;

ByteTable tableOf(float (*decode)(uint8_t)) {
  ByteTable table;
  for (int code = 0; code < 256; ++code)
    table[static_cast<size_t>(code)] = decode(static_cast<uint8_t>(code));
  return table;
}

void decodeBytes(const ByteTable &table, const uint8_t *codes, int64_t count, float *out) {
  for (int64_t i = 0; i < count; ++i)
    out[i] = table[codes[i]];
}

// The fields of f16 a place lower than f32 has them; the factor puts the exponent right, and makes
// subnormal numbers normal.
float fromF16(uint16_t code) {
  float magnitude = f32FromBits(static_cast<uint32_t>(code & 0x7fff) << 13) * 0x1p112f;
  return f32FromBits(bitsOfF32(magnitude) | static_cast<uint32_t>(code & 0x8000) << 16);
}

// Half away from zero. With 0.5 itself, the number before 0.5 would become 1.
int roundAway(float value) {
  return static_cast<int>(value + std::copysign(0x1.fffffep-2f, value));
}

// e4m3 of a magnitude: below 2^-6 in units of 2^-9, above by cutting the fields of f32.
uint32_t e4m3Magnitude(float magnitude) {
  constexpr float unit = 24576.0f; // 1.5 * 2^14, whose last place is 2^-9
  uint32_t bits = bitsOfF32(magnitude);
  uint32_t small = bitsOfF32(magnitude + unit) - bitsOfF32(unit);
  uint32_t normal = ((bits + 0x7ffff + (bits >> 20 & 1)) >> 20) - (120 << 3);
  uint32_t code = magnitude < 0x1p-6f ? small : normal;
  return code < 0x7e ? code : 0x7e;
}

} // namespace

void decodeRun(Format::Kind format, const uint8_t *codes, int64_t count, float *out) {
  static const ByteTable e4m3 = tableOf(f32FromE4m3), e5m2 = tableOf(f32FromE5m2);
  switch (format) {
  case Format::f32: std::memcpy(out, codes, static_cast<size_t>(count) * 4); return;
  case Format::bf16:
    for (int64_t i = 0; i < count; ++i)
      out[i] = f32FromBf16(loadAt<uint16_t>(codes, i));
    return;
  case Format::f16:
    for (int64_t i = 0; i < count; ++i)
      out[i] = fromF16(loadAt<uint16_t>(codes, i));
    return;
  case Format::e4m3: return decodeBytes(e4m3, codes, count, out);
  case Format::e5m2: return decodeBytes(e5m2, codes, count, out);
  case Format::i8:
  case Format::i4:
    for (int64_t i = 0; i < count; ++i)
      out[i] = static_cast<int8_t>(codes[i]);
  }
}

float largestMagnitude(const float *values, int64_t count) {
  int32_t largest = 0; // magnitudes are ordered as their bits are
  for (int64_t i = 0; i < count; ++i) {
    int32_t bits = static_cast<int32_t>(bitsOfF32(values[i]) & 0x7fffffff);
    largest = bits > largest ? bits : largest;
  }
  return f32FromBits(static_cast<uint32_t>(largest));
}

void encodeBf16(const float *values, int64_t count, uint16_t *codes) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits = bitsOfF32(values[i]);
    codes[i] = static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
}

void encodeE4m3(const float *values, int64_t count, float scale, uint8_t *codes) {
  for (int64_t i = 0; i < count; ++i) {
    float value = values[i] / scale;
    codes[i] =
        static_cast<uint8_t>(e4m3Magnitude(std::fabs(value)) | (bitsOfF32(value) >> 24 & 0x80));
  }
}

uint16_t encodeQ8_0(const float *values, int64_t count, int8_t *codes) {
  float d = largestMagnitude(values, count) / 127.0f;
  uint16_t scale = f16FromF32(d);
  float inverse = scale == 0 ? 0.0f : 1.0f / d;
  for (int64_t i = 0; i < count; ++i)
    codes[i] = static_cast<int8_t>(roundAway(values[i] * inverse));
  return scale;
}

uint16_t encodeQ4_0(const float *values, int64_t count, int8_t *codes) {
  float largest = largestMagnitude(values, count);
  for (int64_t i = 0; i < count; ++i)
    if (std::fabs(values[i]) == largest) {
      largest = values[i];
      break;
    }
  float d = largest / -8.0f;
  uint16_t scale = f16FromF32(d);
  float inverse = (scale & 0x7fff) == 0 ? 0.0f : 1.0f / d;
  for (int64_t i = 0; i < count; ++i) {
    int code = static_cast<int>(values[i] * inverse + 8.5f);
    codes[i] = static_cast<int8_t>((code < 15 ? code : 15) - 8);
  }
  return scale;
}

} // namespace lathe::x86
