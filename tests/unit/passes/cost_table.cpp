#include "passes/cost/table.h"

#include <gmock/gmock.h>

#include "cost_attribute.h"

namespace lathe::passes::cost {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

// A code takes 1 ns for one row, 2 ns for 5 and 10 ns for 37.
const std::string kNumbers =
    "{read_bandwidth = 1.0e15, one_row = {bf16 = 1.0e9}, many_rows = {rows = array<f64: 5.0, "
    "37.0>, "
    "bf16 = {f32 = array<f64: 5.0e9, 7.4e9>}, f32 = {f32 = array<f64: 1.0e9, 1.0e9>}}}";
const WeightCost kWeight = {"bf16", 1e9, 2e9};

TEST(CostOfAProduct, isWhatWasMeasuredAtMeasuredRows) {
  CostAttribute costs;
  const Table table = costs.table(kNumbers);
  for (auto [rows, seconds] : {std::pair(1.0, 1.0), {5.0, 2.0}, {37.0, 10.0}})
    EXPECT_DOUBLE_EQ(table.productSeconds(kWeight, "f32", rows), seconds);
}

TEST(CostOfAProduct, isOnALineBetweenAndInProportionBehind) {
  CostAttribute costs;
  const Table table = costs.table(kNumbers);
  for (auto [rows, seconds] : {std::pair(3.0, 1.5), {21.0, 6.0}, {74.0, 20.0}})
    EXPECT_DOUBLE_EQ(table.productSeconds(kWeight, "f32", rows), seconds);
}

TEST(CostOfAProduct, isThatOfF32_WhereAFormWasNotMeasured) {
  CostAttribute costs;
  const Table table = costs.table(kNumbers);
  EXPECT_DOUBLE_EQ(table.productSeconds(kWeight, "w8a8", 5), 2.0);
  EXPECT_DOUBLE_EQ(table.productSeconds({"i3", 1e9, 1e9}, "f32", 5), 10.0);
}

TEST(CostOfAProduct, isThatOfReadingTheWeight_WhereThatTakesLonger) {
  CostAttribute costs;
  EXPECT_DOUBLE_EQ(costs.evenTable(1e15, 1e9).productSeconds(kWeight, "f32", 4), 2.0);
}

TEST(CostOfAProduct, growsWithRows) {
  CostAttribute costs;
  const Table table = costs.table(kNumbers);
  for (double rows = 1, before = 0; rows < 1000; rows *= 1.3) {
    const double now = table.productSeconds(kWeight, "f32", rows);
    EXPECT_GT(now, before) << rows;
    before = now;
  }
}

TEST(WorstRatios, areThoseToEachTargetsBest) {
  EXPECT_THAT(worstRatios({{1, 2, 3}, {30, 20, 10}}),
              ElementsAre(DoubleEq(3), DoubleEq(2), DoubleEq(3)));
}

TEST(LeastRegret, serves_whoWouldLoseMost) {
  EXPECT_EQ(leastRegret({{1, 1.1}, {10, 5}}), 1u);
  EXPECT_EQ(leastRegret({{1, 1.1}}), 0u);
  EXPECT_EQ(leastRegret({{2, 2}}), 0u) << "the first of equals";
}

} // namespace
} // namespace lathe::passes::cost
