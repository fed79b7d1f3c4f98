#include "base/float_formats.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace lathe {
namespace {

// The value of a code by its definition, in double: the oracle.
double valueOf(int code, int exponent_bits, int mantissa_bits) {
  int mantissa = code & ((1 << mantissa_bits) - 1);
  int exponent = (code >> mantissa_bits) & ((1 << exponent_bits) - 1);
  int bias = (1 << (exponent_bits - 1)) - 1;
  double fraction = mantissa / std::pow(2.0, mantissa_bits);
  double magnitude = exponent == 0 ? fraction * std::pow(2.0, 1 - bias)
                                   : (1 + fraction) * std::pow(2.0, exponent - bias);
  return code >> (exponent_bits + mantissa_bits) ? -magnitude : magnitude;
}

bool sameBits(float a, double b) {
  return static_cast<double>(a) == b && std::signbit(a) == std::signbit(b);
}

TEST(FloatFormats, decodesEveryCodeOfE4m3) {
  for (int code = 0; code < 256; ++code) {
    float value = f32FromE4m3(static_cast<uint8_t>(code));
    if ((code & 0x7f) == 0x7f)
      EXPECT_TRUE(std::isnan(value)) << code;
    else
      EXPECT_TRUE(sameBits(value, valueOf(code, 4, 3))) << code;
  }
  EXPECT_EQ(f32FromE4m3(0x7e), 448.0f);
  EXPECT_EQ(f32FromE4m3(0x01), 0x1p-9f);
}

TEST(FloatFormats, decodesEveryCodeOfE5m2) {
  for (int code = 0; code < 256; ++code) {
    float value = f32FromE5m2(static_cast<uint8_t>(code));
    if ((code & 0x7f) == 0x7c)
      EXPECT_TRUE(std::isinf(value) && std::signbit(value) == (code > 127)) << code;
    else if ((code & 0x7f) > 0x7c)
      EXPECT_TRUE(std::isnan(value)) << code;
    else
      EXPECT_TRUE(sameBits(value, valueOf(code, 5, 2))) << code;
  }
}

TEST(FloatFormats, decodesEveryCodeOfF16) {
  for (int code = 0; code < 65536; ++code) {
    float value = f32FromF16(static_cast<uint16_t>(code));
    if ((code & 0x7fff) > 0x7c00)
      EXPECT_TRUE(std::isnan(value)) << code;
    else if ((code & 0x7fff) == 0x7c00)
      EXPECT_TRUE(std::isinf(value) && std::signbit(value) == (code > 0x7fff)) << code;
    else
      EXPECT_TRUE(sameBits(value, valueOf(code, 5, 10))) << code;
  }
}

TEST(FloatFormats, decodesEveryCodeOfE8m0) {
  for (int code = 0; code < 255; ++code)
    EXPECT_EQ(static_cast<double>(f32FromE8m0(static_cast<uint8_t>(code))),
              std::pow(2.0, code - 127))
        << code;
  EXPECT_TRUE(std::isnan(f32FromE8m0(255)));
}

TEST(FloatFormats, bringsEveryCodeOfBf16Back) {
  for (int code = 0; code < 65536; ++code) {
    float value = f32FromBf16(static_cast<uint16_t>(code));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(f32FromBf16(bf16FromF32(value)))) << code;
    else
      EXPECT_EQ(bf16FromF32(value), code);
  }
}

TEST(FloatFormats, roundsBf16ToTheNearestAndTiesToEven) {
  for (int code = 0; code < 0x7f80; ++code) {
    uint32_t below = static_cast<uint32_t>(code) << 16;
    EXPECT_EQ(bf16FromF32(f32FromBits(below + 0x7fff)), code);
    EXPECT_EQ(bf16FromF32(f32FromBits(below + 0x8000)), code + (code & 1));
    EXPECT_EQ(bf16FromF32(f32FromBits(below + 0x8001)), code + 1);
  }
  EXPECT_TRUE(std::isnan(f32FromBf16(bf16FromF32(f32FromBits(0x7f800001)))));
}

TEST(FloatFormats, roundsF16ToTheNearestAndTiesToEven) {
  for (int code = 0; code < 0x7c00; ++code) {
    float below = f32FromF16(static_cast<uint16_t>(code)), above = f32FromF16(code + 1);
    float middle = code == 0x7bff ? 65520.0f : (below + above) / 2; // exact
    EXPECT_EQ(f16FromF32(below), code);
    EXPECT_EQ(f16FromF32(-below), code | 0x8000);
    EXPECT_EQ(f16FromF32(middle), code + (code & 1)) << code;
    EXPECT_EQ(f16FromF32(std::nextafter(middle, 0.0f)), code);
    EXPECT_EQ(f16FromF32(std::nextafter(middle, 1e9f)), code + 1);
  }
  EXPECT_EQ(f16FromF32(1e30f), 0x7c00);
  EXPECT_EQ(f16FromF32(-std::numeric_limits<float>::infinity()), 0xfc00);
  EXPECT_TRUE(std::isnan(f32FromF16(f16FromF32(std::nanf("")))));
}

TEST(FloatFormats, bringsEveryCodeOfE4m3Back) {
  for (int code = 0; code < 256; ++code)
    EXPECT_EQ(e4m3FromF32(f32FromE4m3(static_cast<uint8_t>(code))) & 0x7f, code & 0x7f) << code;
  for (int code = 0; code < 256; ++code)
    if ((code & 0x7f) != 0x7f) {
      EXPECT_EQ(e4m3FromF32(f32FromE4m3(static_cast<uint8_t>(code))), code);
    }
}

TEST(FloatFormats, roundsE4m3ToTheNearestAndTiesToEven) {
  for (int code = 0; code < 0x7e; ++code) {
    float below = f32FromE4m3(static_cast<uint8_t>(code)),
          above = f32FromE4m3(static_cast<uint8_t>(code + 1));
    float middle = (below + above) / 2; // exact
    EXPECT_EQ(e4m3FromF32(middle), code + (code & 1)) << code;
    EXPECT_EQ(e4m3FromF32(std::nextafter(middle, 0.0f)), code);
    EXPECT_EQ(e4m3FromF32(std::nextafter(middle, 1e9f)), code + 1);
    EXPECT_EQ(e4m3FromF32(-std::nextafter(middle, 1e9f)), (code + 1) | 0x80);
  }
}

TEST(FloatFormats, saturatesE4m3At448) {
  for (float value :
       {448.0f, 449.0f, 463.9f, 464.0f, 1e30f, std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(e4m3FromF32(value), 0x7e);
    EXPECT_EQ(e4m3FromF32(-value), 0xfe);
  }
  EXPECT_EQ(e4m3FromF32(447.9f), 0x7e);
  EXPECT_EQ(e4m3FromF32(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(e4m3FromF32(std::nanf("")) & 0x7f, 0x7f);
}

} // namespace
} // namespace lathe
