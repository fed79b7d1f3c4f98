#include <cmath>

#include <gmock/gmock.h>

#include "backends/reference/basic.h"
#include "backends/reference/linear.h"
#include "backends/reference/quantization.h"
#include "base/float_formats.h"
#include "frontend/safetensors.h"
#include "noise.h"

namespace lathe::reference {
namespace {

using testing::ElementsAre;

Tensor stored(const frontend::SafetensorsFile &file, const std::string &name) {
  const frontend::Tensor *tensor = file.find(name);
  EXPECT_NE(tensor, nullptr) << name;
  Tensor result(tensor->shape);
  for (size_t i = 0; i < result.values.size(); ++i)
    if (tensor->dtype == frontend::DType::f8_e4m3)
      result.values[i] = f32FromE4m3(tensor->bytes[i]);
    else
      std::memcpy(&result.values[i], tensor->bytes.data() + 4 * i, 4);
  return result;
}

float largest(const Tensor &tensor) {
  float result = 0;
  for (float value : tensor.values)
    result = std::max(result, std::fabs(value));
  return result;
}

float largestDifference(const Tensor &a, const Tensor &b) {
  float result = 0;
  for (size_t i = 0; i < a.values.size(); ++i)
    result = std::max(result, std::fabs(a.values[i] - b.values[i]));
  return result;
}

TEST(Linear, isRowsTimesRowsOfTheWeightPlusBias) {
  const Tensor x({2, 3}, {1, 2, 3, 4, 5, 6}), w({2, 3}, {1, 0, -1, 2, 2, 2}), b({2}, {10, 20});
  EXPECT_THAT(linear(&x, &w, &b).values, ElementsAre(8, 32, 8, 50));
}

TEST(Linear, sumsInDoubleWhereFloatsWouldLoseTheSmallOnes) {
  const Tensor x({1, 3}, {1e8f, 1, -1e8f}), w({1, 3}, {1, 1, 1});
  EXPECT_THAT(linear(&x, &w).values, ElementsAre(1));
}

TEST(Linear, withAWeightOfCodesIsThatOfTheDequantisedWeight) {
  TestNoise noise;
  const Tensor x = noise.tensor({4, 200}), w = noise.tensor({7, 200});
  const Codes codes = quantize(w, CodeKind::e4m3, 128, false);
  const Tensor floats = dequantize(codes);
  EXPECT_EQ(linear(&x, &codes).values, linear(&x, &floats).values);
}

TEST(Linear, ofCodesHoldsDeepSeeksGoldens) {
  const auto file =
      frontend::SafetensorsFile::open(LATHE_TEST_DATA "/golden/linear_w8a8/cases.safetensors");
  ASSERT_TRUE(file.ok()) << file.status();
  int cases = 0;
  for (; file->find(std::to_string(cases) + ".x"); ++cases) {
    const std::string name = std::to_string(cases);
    const Tensor w = stored(*file, name + ".w"), y = stored(*file, name + ".y");
    const Codes weight{w.shape, 128, 128, w.values, stored(*file, name + ".w_scale_inv").values};
    const Codes x = quantize(stored(*file, name + ".x"), CodeKind::e4m3, 128,
                             /*power_of_two=*/cases == 3 || cases == 4);
    EXPECT_LE(largestDifference(linear(&x, &weight), y), 1e-5f * largest(y)) << "case " << name;
  }
  EXPECT_GE(cases, 5);
}

TEST(GatedLinear, isSwigluOfItsParts) {
  TestNoise noise;
  const Tensor x = noise.tensor({3, 40}), gate = noise.tensor({6, 40}), up = noise.tensor({6, 40}),
               b = noise.tensor({6});
  EXPECT_EQ(gatedLinear(&x, &gate, &up, &b, &b).values,
            swiglu(linear(&x, &gate, &b), linear(&x, &up, &b)).values);
}

TEST(Quantize, mapsTheLargestOfEachBlockTo448) {
  const Codes codes = quantize(Tensor({1, 4}, {1, -2, 0.5f, 4}), CodeKind::e4m3, 2, false);
  EXPECT_THAT(codes.codes, ElementsAre(224, -448, 56, 448));
  EXPECT_THAT(codes.scales, ElementsAre(2.0f / 448, 4.0f / 448));
}

TEST(Quantize, keepsScalesFromVanishing) {
  EXPECT_THAT(quantize(Tensor({1, 2}, {0, 1e-9f}), CodeKind::e4m3, 2, false).scales,
              ElementsAre(1e-4f / 448));
}

TEST(Quantize, roundsScalesUpToPowersOfTwoAndKeepsThoseThatAre) {
  EXPECT_THAT(quantize(Tensor({1, 2}, {448, 449}), CodeKind::e4m3, 1, true).scales,
              ElementsAre(1, 2));
}

TEST(Dequantize, takesTheScaleOfEachBlockPartialOnesToo) {
  const Codes codes{{3, 3}, 2, 2, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 2, 3, 4}};
  EXPECT_THAT(dequantize(codes).values, ElementsAre(1, 1, 2, 1, 1, 2, 3, 3, 4));
}

TEST(Dequantize, ofAStackTakesEachMatrixsOwnScales) {
  const Codes codes{{2, 1, 2}, 1, 2, {1, 2, 3, 4}, {10, 100}};
  EXPECT_THAT(dequantize(codes).values, ElementsAre(10, 20, 300, 400));
  EXPECT_THAT(dequantize(matrixOf(codes, 1)).values, ElementsAre(300, 400));
}

TEST(Rounded, isToNearestEvenInEachFormat) {
  EXPECT_EQ(rounded(1 + 0x1p-8f, Element::bf16), 1);
  EXPECT_EQ(rounded(1 + 0x3p-8f, Element::bf16), 1 + 0x1p-6f);
  EXPECT_EQ(rounded(1 + 0x1p-11f, Element::f16), 1);
  EXPECT_EQ(rounded(65520, Element::f16), HUGE_VALF);
  EXPECT_EQ(rounded(65519, Element::f16), 65504);
  EXPECT_EQ(rounded(0x1p-25f, Element::f16), 0);
  EXPECT_EQ(rounded(0x1.8p-25f, Element::f16), 0x1p-24f);
}

} // namespace
} // namespace lathe::reference
