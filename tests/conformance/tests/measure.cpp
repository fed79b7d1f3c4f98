#include "tests/conformance/case/measure.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace lathe::conformance {
namespace {

using reference::Tensor;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(WorstDifference, isNoneWhereAllIsEqual) {
  const Tensor rows({1, 3}, {1, kNan, -kInfinity});
  EXPECT_FALSE(worstDifference(rows, rows, exact(""), ""));
}

TEST(WorstDifference, isBeyondAnyBoundWhereOnlyOneIsNan) {
  const Tensor got({1, 2}, {1, kNan}), expected({1, 2}, {1, 2});
  EXPECT_GT(worstDifference(got, expected, {1, 1, 1e30}, "")->share, 1);
  EXPECT_GT(worstDifference(expected, got, {1, 1, 1e30}, "")->share, 1);
}

TEST(WorstDifference, saysWhereByTheBoundOfEachElement) {
  const Tensor got({2, 2}, {1, 100.5F, 3, 4.5F}), expected({2, 2}, {1, 100, 3, 4});
  const auto worst = worstDifference(got, expected, {0, 0.01}, "");
  EXPECT_EQ(worst->row, 1);
  EXPECT_EQ(worst->column, 1);
  EXPECT_FLOAT_EQ(worst->bound, 0.04F);
  EXPECT_GT(worst->share, 1);
}

TEST(WorstDifference, allowsNothingWhereAValueIsExact) {
  const Tensor got({1, 1}, {std::nextafter(1.0F, 2.0F)}), expected({1, 1}, {1});
  EXPECT_GT(worstDifference(got, expected, exact(""), "")->share, 1);
  EXPECT_GT(worstDifference(got, expected, exact(""), "bf16")->share, 1);
}

TEST(WorstDifference, allowsTheRoundingsOfATypeThatATargetConvertsTo) {
  const Tensor got({1, 1}, {1 + 0x1p-8F}), expected({1, 1}, {1});
  EXPECT_GT(worstDifference(got, expected, sums(8, ""), "")->share, 1);
  EXPECT_LT(worstDifference(got, expected, sums(8, ""), "products in bf16")->share, 1);
}

TEST(RoundingOf, knowsTypesByTheirNames) {
  EXPECT_EQ(roundingOf("rows are rounded to bf16"), 0x1p-9);
  EXPECT_EQ(roundingOf("f16"), 0x1p-12);
  EXPECT_EQ(roundingOf("something else"), 0);
}

TEST(RoundingOf, goesByTheCoarserOfPartsAndWholes) {
  EXPECT_EQ(roundingOf("products take two parts of bf16 rows; sums are f32"), 0x1p-18);
  EXPECT_EQ(roundingOf("the cache is f16; products take two parts of bf16 rows"), 0x1p-12);
  EXPECT_EQ(roundingOf("two parts of bf16, then bf16"), 0x1p-9);
  EXPECT_EQ(roundingOf("two parts of f16 rows; two parts of bf16 rows"), 0x1p-18);
  EXPECT_EQ(roundingOf("two parts of f16 rows and weights"), 0x1p-24);
}

} // namespace
} // namespace lathe::conformance
