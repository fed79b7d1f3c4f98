#include "sim/numerics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace npu {
namespace {

// The nearest of all values of a type, ties to the even code: obviously right, and slow.
template <class Decode> unsigned nearest(float value, unsigned codes, Decode decode) {
  unsigned best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (unsigned code = 0; code < codes; ++code) {
    double candidate = decode(code);
    if (!std::isfinite(candidate) || std::signbit(candidate) != std::signbit(value))
      continue;
    double distance = std::fabs(candidate - value);
    if (distance < least || (distance == least && code % 2 == 0))
      best = code, least = distance;
  }
  return best;
}

TEST(Numerics, f16RoundTripsEveryCode) {
  for (unsigned code = 0; code < 0x10000; ++code) {
    float value = f16ToF32(static_cast<uint16_t>(code));
    if (value == value)
      ASSERT_EQ(f32ToF16(value), code) << code;
    else
      ASSERT_EQ(f32ToF16(value) & 0x7e00, 0x7e00);
  }
}

TEST(Numerics, f16RoundsToNearestEven) {
  EXPECT_EQ(f32ToF16(1.0f + 0x1p-11f), 0x3c00);            // tie, down to even
  EXPECT_EQ(f32ToF16(1.0f + 0x3p-11f), 0x3c02);            // tie, up to even
  EXPECT_EQ(f32ToF16(1.0f + 0x1p-11f + 0x1p-23f), 0x3c01); // above the tie
  EXPECT_EQ(f32ToF16(65519.0f), 0x7bff);
  EXPECT_EQ(f32ToF16(65520.0f), 0x7c00);
  EXPECT_EQ(f32ToF16(0x1p-25f), 0x0000); // tie with zero
  EXPECT_EQ(f32ToF16(0x1.8p-25f), 0x0001);
  EXPECT_EQ(f32ToF16(-0.0f), 0x8000);
}

TEST(Numerics, bf16RoundsToNearestEven) {
  EXPECT_EQ(f32ToBf16(1.0f + 0x1p-8f), 0x3f80);
  EXPECT_EQ(f32ToBf16(1.0f + 0x3p-8f), 0x3f82);
  EXPECT_EQ(f32ToBf16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_TRUE(std::isnan(bf16ToF32(f32ToBf16(NAN))));
}

TEST(Numerics, e4m3HasNoInfinityAndSaturates) {
  EXPECT_EQ(e4m3ToF32(0x7e), 448.0f);
  EXPECT_TRUE(std::isnan(e4m3ToF32(0x7f)));
  EXPECT_EQ(e4m3ToF32(0x01), 0x1p-9f);
  EXPECT_EQ(f32ToE4m3(1e9f), 0x7e);
  EXPECT_EQ(f32ToE4m3(-INFINITY), 0xfe);
  EXPECT_EQ(f32ToE4m3(NAN) & 0x7f, 0x7f);
}

TEST(Numerics, smallFloatsRoundToTheNearestCode) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 3);
  for (int i = 0; i < 2000; ++i) {
    float value = normal(random) * std::exp2(static_cast<float>(i % 16) - 10);
    ASSERT_EQ(f32ToE4m3(value),
              nearest(value, 256, [](unsigned c) { return e4m3ToF32(uint8_t(c)); }))
        << value;
    ASSERT_EQ(f32ToE5m2(value),
              nearest(value, 256, [](unsigned c) { return e5m2ToF32(uint8_t(c)); }))
        << value;
  }
}

TEST(Numerics, scalesArePowersOfTwoNotBelow) {
  EXPECT_EQ(e8m0ToF32(127), 1.0f);
  EXPECT_EQ(f32ToE8m0(1.0f), 127);
  EXPECT_EQ(f32ToE8m0(1.5f), 128);
  EXPECT_EQ(f32ToE8m0(0.0f), 0);
  EXPECT_TRUE(std::isnan(e8m0ToF32(0xff)));
}

TEST(Numerics, e2m1HasItsEightMagnitudes) {
  float expected[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  for (unsigned i = 0; i < 8; ++i)
    EXPECT_EQ(e2m1ToF32(uint8_t(i)), expected[i]);
  EXPECT_EQ(e2m1ToF32(0xf), -6);
}

// Distance in units of the last place.
int64_t ulps(float a, float b) {
  return std::abs(int64_t{std::bit_cast<int32_t>(a)} - int64_t{std::bit_cast<int32_t>(b)});
}

TEST(Numerics, expAndLogAreWithinOneUlp) {
  for (float x = -103.0f; x < 88.7f; x += 0.00731f) {
    float wanted = static_cast<float>(std::exp(static_cast<double>(x)));
    ASSERT_LE(ulps(expF32(x), wanted), 1) << x;
  }
  for (float x = 1e-30f; x < 1e30f; x *= 1.0173f)
    ASSERT_LE(ulps(logF32(x), static_cast<float>(std::log(static_cast<double>(x)))), 1) << x;
  EXPECT_EQ(logF32(1.0f), 0.0f);
  EXPECT_EQ(expF32(0.0f), 1.0f);
  EXPECT_EQ(expF32(-INFINITY), 0.0f);
  EXPECT_EQ(expF32(INFINITY), INFINITY);
}

TEST(Numerics, integersSaturateAndRoundAsAsked) {
  float values[] = {2.5f, -2.5f, 300.0f, -1e30f};
  int8_t out[4];
  fromF32(DType::I8, values, reinterpret_cast<std::byte *>(out), 4, Round::Rint, true);
  EXPECT_EQ(out[0], 2);
  EXPECT_EQ(out[1], -2);
  EXPECT_EQ(out[2], 127);
  EXPECT_EQ(out[3], -128);
  fromF32(DType::I8, values, reinterpret_cast<std::byte *>(out), 2, Round::Ceil, true);
  EXPECT_EQ(out[0], 3);
  EXPECT_EQ(out[1], -2);
}

} // namespace
} // namespace npu
