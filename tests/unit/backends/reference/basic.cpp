#include "backends/reference/basic.h"

#include <cmath>

#include <gmock/gmock.h>

#include "noise.h"

namespace lathe::reference {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::Pointwise;

TEST(Embedding, takesRowsInTheOrderAskedFor) {
  EXPECT_THAT(embedding(Indices({2, 0, 2}), Tensor({3, 2}, {1, 2, 3, 4, 5, 6})).values,
              ElementsAre(5, 6, 1, 2, 5, 6));
}

TEST(Slice, undoesConcat) {
  TestNoise noise;
  const Tensor a = noise.tensor({3, 4}), b = noise.tensor({3, 2});
  const Tensor both = concat({&a, &b});
  EXPECT_EQ(slice(both, 0, 4).values, a.values);
  EXPECT_EQ(slice(both, 4, 2).values, b.values);
}

TEST(Swiglu, isHalfTheProductAtZeroSlopeAndVanishesForLargeNegativeGates) {
  EXPECT_THAT(swiglu(Tensor({1, 3}, {0, 100, -200}), Tensor({1, 3}, {3, 2, 5})).values,
              ElementsAre(0, 200, testing::FloatNear(0, 1e-30)));
}

TEST(RmsNorm, makesTheRootMeanSquareOfEachGroupOne) {
  const Tensor x({1, 4}, {3, 4, 30, 40});
  const float root = std::sqrt(12.5f);
  EXPECT_THAT(rmsNorm(x, Tensor({2}, {1, 2}), 1e-12f).values,
              Pointwise(FloatEq(), {3 / root, 8 / root, 3 / root, 8 / root}));
}

TEST(RmsNorm, addsEpsilonToTheMeanSquare) {
  EXPECT_THAT(rmsNorm(Tensor({1, 2}, {0, 0}), Tensor({2}, {1, 1}), 1).values, ElementsAre(0, 0));
  EXPECT_THAT(rmsNorm(Tensor({1, 2}, {1, 1}), Tensor({2}, {1, 1}), 3).values,
              ElementsAre(0.5f, 0.5f));
}

TEST(RopeTable, holdsCosinesThenSinesTimesMagnitude) {
  const Tensor table = ropeTable(Indices({0, 3}), {1.0f, 0.5f}, 2.0f);
  EXPECT_THAT(table.values,
              Pointwise(FloatEq(), {2.0, 2.0, 0.0, 0.0, 2 * std::cos(3.0), 2 * std::cos(1.5),
                                    2 * std::sin(3.0), 2 * std::sin(1.5)}));
}

TEST(Rope, rotatesByTheAngleAndLeavesTheOtherColumns) {
  // One head of 3 columns; the last two are turned by a quarter.
  const Tensor x({1, 3}, {7, 1, 2}), table({1, 2}, {0, 1});
  EXPECT_THAT(rope(x, table, 3, 1, PairLayout::half).values, ElementsAre(7, -2, 1));
  EXPECT_THAT(rope(x, table, 3, 1, PairLayout::pairs).values, ElementsAre(7, -2, 1));
}

TEST(Rope, ofHalvesIsThatOfPairsWithPermutedColumns) {
  TestNoise noise;
  const Tensor x = noise.tensor({5, 16}); // two heads of 8
  const Tensor table = ropeTable(Indices({0, 1, 2, 9, 100}), {1.0f, 0.3f, 0.1f, 0.01f}, 1.0f);
  const auto pairColumn = [](int64_t j) {
    return j / 8 * 8 + (j % 8 < 4 ? 2 * (j % 4) : 2 * (j % 4) + 1);
  };
  Tensor permuted = x;
  for (int64_t t = 0; t < 5; ++t)
    for (int64_t j = 0; j < 16; ++j)
      permuted.row(t)[pairColumn(j)] = x.row(t)[j];
  const Tensor half = rope(x, table, 8, 0, PairLayout::half),
               pairs = rope(permuted, table, 8, 0, PairLayout::pairs);
  for (int64_t t = 0; t < 5; ++t)
    for (int64_t j = 0; j < 16; ++j)
      EXPECT_EQ(half.row(t)[j], pairs.row(t)[pairColumn(j)]);
}

} // namespace
} // namespace lathe::reference
