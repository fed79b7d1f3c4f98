#include "sim/numerics.h"

#include <array>
#include <cmath>
#include <limits>

namespace npu {
namespace {

// A float of 8 bits or fewer with an exponent and subnormals, by its fields.
float smallFloat(unsigned value, unsigned exponentBits, unsigned mantissaBits, int bias) {
  unsigned mantissa = value & ((1u << mantissaBits) - 1);
  int exponent = static_cast<int>(value >> mantissaBits & ((1u << exponentBits) - 1));
  bool negative = value >> (mantissaBits + exponentBits) & 1;
  float magnitude = exponent ? std::ldexp(float((1u << mantissaBits) | mantissa),
                                          exponent - bias - int(mantissaBits))
                             : std::ldexp(float(mantissa), 1 - bias - int(mantissaBits));
  return negative ? -magnitude : magnitude;
}

using Table = std::array<float, 256>;

Table makeE4m3() {
  Table table{};
  for (unsigned i = 0; i < 256; ++i)
    table[i] = (i & 0x7f) == 0x7f
                   ? std::copysign(std::numeric_limits<float>::quiet_NaN(), i & 0x80 ? -1.f : 1.f)
                   : smallFloat(i, 4, 3, 7);
  return table;
}

Table makeE5m2() {
  Table table{};
  for (unsigned i = 0; i < 256; ++i) {
    float sign = i & 0x80 ? -1.f : 1.f;
    table[i] = (i & 0x7f) > 0x7c    ? std::copysign(std::numeric_limits<float>::quiet_NaN(), sign)
               : (i & 0x7f) == 0x7c ? sign * std::numeric_limits<float>::infinity()
                                    : smallFloat(i, 5, 2, 15);
  }
  return table;
}

const Table e4m3Table = makeE4m3();
const Table e5m2Table = makeE5m2();

// RNE to a small float whose largest finite code is `largest`; beyond it stays there.
uint8_t toSmallFloat(float value, unsigned mantissaBits, int bias, float largest,
                     uint8_t largestCode, uint8_t nan) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint8_t sign = static_cast<uint8_t>(bits >> 24 & 0x80);
  uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000u)
    return sign | nan;
  if (std::bit_cast<float>(magnitude) >= largest)
    return sign | largestCode;
  int least = 1 - bias - static_cast<int>(mantissaBits); // exponent of the smallest subnormal
  int exponent =
      std::max(static_cast<int>(magnitude >> 23) - 127 - static_cast<int>(mantissaBits), least);
  // Both the scaling and the nearbyint are exact here.
  float steps = std::nearbyintf(std::ldexp(std::bit_cast<float>(magnitude), -exponent));
  unsigned code =
      static_cast<unsigned>(steps) + (static_cast<unsigned>(exponent - least) << mantissaBits);
  return static_cast<uint8_t>(sign | code);
}

template <class Integer> Integer saturated(float value) {
  constexpr float low = static_cast<float>(std::numeric_limits<Integer>::min());
  constexpr float high = static_cast<float>(std::numeric_limits<Integer>::max());
  if (!(value > low))
    return value != value ? Integer{0} : std::numeric_limits<Integer>::min();
  return value >= high ? std::numeric_limits<Integer>::max() : static_cast<Integer>(value);
}

template <class Stored, class Convert>
void convertIn(const std::byte *source, float *target, size_t count, Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, source + i * sizeof stored, sizeof stored);
    target[i] = convert(stored);
  }
}

template <class Stored, class Convert>
void convertOut(const float *source, std::byte *target, size_t count, Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    Stored stored = static_cast<Stored>(convert(source[i]));
    std::memcpy(target + i * sizeof stored, &stored, sizeof stored);
  }
}

template <class Convert>
void nibblesIn(const std::byte *source, float *target, size_t count, Convert convert) {
  for (size_t i = 0; i < count; ++i)
    target[i] =
        convert(static_cast<uint8_t>(static_cast<uint8_t>(source[i / 2]) >> (i % 2 * 4) & 15));
}

} // namespace

float e4m3ToF32(uint8_t value) { return e4m3Table[value]; }
float e5m2ToF32(uint8_t value) { return e5m2Table[value]; }
float e8m0ToF32(uint8_t value) {
  return value == 0xff ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0f, value - 127);
}
float e2m1ToF32(uint8_t nibble) { return smallFloat(nibble, 2, 1, 1); }

uint8_t f32ToE4m3(float value) { return toSmallFloat(value, 3, 7, 448.0f, 0x7e, 0x7f); }
uint8_t f32ToE5m2(float value) { return toSmallFloat(value, 2, 15, 57344.0f, 0x7b, 0x7f); }

// Scales round up, so that a block divided by its scale stays in range: the exponent of the
// smallest power of two that is not below |value|. Zero and what lies below the range give the
// smallest one.
uint8_t f32ToE8m0(float value) {
  uint32_t magnitude = std::bit_cast<uint32_t>(value) & 0x7fffffff;
  if (magnitude > 0x7f800000u)
    return 0xff;
  uint32_t exponent = (magnitude >> 23) + ((magnitude & 0x7fffff) != 0);
  return static_cast<uint8_t>(exponent > 254 ? 254 : exponent);
}

float roundF32(float value, Round mode) {
  switch (mode) {
  case Round::Rint: return std::nearbyintf(value);
  case Round::Floor: return std::floor(value);
  case Round::Ceil: return std::ceil(value);
  case Round::Round: return std::round(value);
  case Round::Trunc: return std::trunc(value);
  }
  return value;
}

void toF32(DType type, const std::byte *source, float *target, size_t count) {
  switch (type) {
  case DType::F32: std::memcpy(target, source, count * 4); return;
  case DType::F16: return convertIn<uint16_t>(source, target, count, f16ToF32);
  case DType::Bf16: return convertIn<uint16_t>(source, target, count, bf16ToF32);
  case DType::I32:
    return convertIn<int32_t>(source, target, count, [](int32_t x) { return float(x); });
  case DType::I16:
    return convertIn<int16_t>(source, target, count, [](int16_t x) { return float(x); });
  case DType::I8:
    return convertIn<int8_t>(source, target, count, [](int8_t x) { return float(x); });
  case DType::U8:
    return convertIn<uint8_t>(source, target, count, [](uint8_t x) { return float(x); });
  case DType::E4m3: return convertIn<uint8_t>(source, target, count, e4m3ToF32);
  case DType::E5m2: return convertIn<uint8_t>(source, target, count, e5m2ToF32);
  case DType::E8m0: return convertIn<uint8_t>(source, target, count, e8m0ToF32);
  case DType::I4: return nibblesIn(source, target, count, i4ToF32);
  case DType::E2m1: return nibblesIn(source, target, count, e2m1ToF32);
  default: return;
  }
}

void fromF32(DType type, const float *source, std::byte *target, size_t count, Round mode,
             bool saturate) {
  auto f16 = [](float x) { return f32ToF16(x); };
  auto f16Saturated = [](float x) {
    return f32ToF16(x > 65504.f ? 65504.f : x < -65504.f ? -65504.f : x);
  };
  switch (type) {
  case DType::F32: std::memcpy(target, source, count * 4); return;
  case DType::F16:
    return saturate ? convertOut<uint16_t>(source, target, count, f16Saturated)
                    : convertOut<uint16_t>(source, target, count, f16);
  case DType::Bf16: return convertOut<uint16_t>(source, target, count, f32ToBf16);
  case DType::I32:
    return convertOut<int32_t>(source, target, count,
                               [=](float x) { return saturated<int32_t>(roundF32(x, mode)); });
  case DType::I16:
    return convertOut<int16_t>(source, target, count,
                               [=](float x) { return saturated<int16_t>(roundF32(x, mode)); });
  case DType::I8:
    return convertOut<int8_t>(source, target, count,
                              [=](float x) { return saturated<int8_t>(roundF32(x, mode)); });
  case DType::U8:
    return convertOut<uint8_t>(source, target, count,
                               [=](float x) { return saturated<uint8_t>(roundF32(x, mode)); });
  case DType::E4m3: return convertOut<uint8_t>(source, target, count, f32ToE4m3);
  case DType::E5m2: return convertOut<uint8_t>(source, target, count, f32ToE5m2);
  case DType::E8m0: return convertOut<uint8_t>(source, target, count, f32ToE8m0);
  default: return;
  }
}

float expF32(float value) {
  if (value != value)
    return value;
  if (value > 88.8f)
    return std::numeric_limits<float>::infinity();
  if (value < -104.0f)
    return 0.0f;
  double x = value;
  // The product is below 2^8, so adding and taking off 1.5 * 2^52 rounds it to an integer.
  double shifted = x * 1.4426950408889634 + 6755399441055744.0;
  double whole = shifted - 6755399441055744.0;
  double r = (x - whole * 0.693147180369123816490) - whole * 1.90821492927058770002e-10;
  // Taylor on |r| <= 0.35: the first term left out is below 2^-36 of the result.
  double p =
      1 +
      r * (1 +
           r * (0.5 +
                r * (1.0 / 6 +
                     r * (1.0 / 24 +
                          r * (1.0 / 120 +
                               r * (1.0 / 720 +
                                    r * (1.0 / 5040 + r * (1.0 / 40320 + r * (1.0 / 362880)))))))));
  double scale =
      std::bit_cast<double>(static_cast<uint64_t>(static_cast<int64_t>(whole) + 1023) << 52);
  return static_cast<float>(p * scale);
}

float logF32(float value) {
  if (value != value || value < 0)
    return std::numeric_limits<float>::quiet_NaN();
  if (value == 0)
    return -std::numeric_limits<float>::infinity();
  if (std::isinf(value))
    return value;
  uint64_t bits = std::bit_cast<uint64_t>(static_cast<double>(value));
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xfffffffffffffull) | 0x3ff0000000000000ull);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  // ln m = 2 atanh t with t = (m - 1) / (m + 1), |t| <= 0.172.
  double t = (m - 1) / (m + 1), t2 = t * t;
  double series =
      1 +
      t2 * (1.0 / 3 +
            t2 * (1.0 / 5 + t2 * (1.0 / 7 + t2 * (1.0 / 9 + t2 * (1.0 / 11 + t2 * (1.0 / 13))))));
  return static_cast<float>(exponent * 0.6931471805599453 + 2 * t * series);
}

} // namespace npu
