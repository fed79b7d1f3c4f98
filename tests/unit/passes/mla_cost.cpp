// The crossover that follows from FLOPs alone, for DeepSeek-V2's heads (128 + 64, 128, a latent of
// 512): S c (n + v) / (c (n + v) + S (2 c + r - n - r - v)) rows for S keys.
#include <gmock/gmock.h>

#include "cost_attribute.h"
#include "passes/cost/mla.h"
#include "passes/cost/text.h"

namespace lathe::passes::cost {
namespace {

using ir::MlaForm;

const MlaShape kV2Lite = {16, 128, 64, 128, 512, {"bf16", 16 * 256 * 512, 16 * 256 * 512 * 2.0}, 4};
const MlaShape kV3 = {128, 128, 64, 128, 512, {"e4m3", 128 * 256 * 512, 128 * 256 * 512 * 1.0}, 2};

bool absorbedHasFewerFlops(const MlaShape &shape, double rows, double keys) {
  return absorbed(shape, rows, keys).flops <= materialised(shape, rows, keys).flops;
}

struct Crossover {
  double keys, rows; // the most rows for which absorbed has fewer
};

class MlaCost : public testing::TestWithParam<Crossover> {};

TEST_P(MlaCost, crossesOverWhereTheFormulaSays) {
  for (const MlaShape &shape : {kV2Lite, kV3}) {
    EXPECT_TRUE(absorbedHasFewerFlops(shape, GetParam().rows, GetParam().keys));
    EXPECT_FALSE(absorbedHasFewerFlops(shape, GetParam().rows + 1, GetParam().keys));
  }
}

// Where all is equally fast on a target, time is FLOPs.
TEST_P(MlaCost, crossesOverThereToo_OnATargetWithOneRate) {
  CostAttribute costs;
  const Table even = costs.evenTable(/*flops=*/1e9, /*read_bandwidth=*/1e15);
  for (double more : {-2.0, 3.0}) {
    const double rows = GetParam().rows + more, keys = GetParam().keys;
    EXPECT_EQ(seconds(even, kV2Lite, MlaForm::absorbed, rows, keys) <=
                  seconds(even, kV2Lite, MlaForm::materialised, rows, keys),
              more < 0)
        << rows << " rows, " << keys << " keys";
  }
}

INSTANTIATE_TEST_SUITE_P(Contexts, MlaCost,
                         testing::Values(Crossover{512, 128}, Crossover{2048, 157},
                                         Crossover{1e7, 170}));

TEST(MlaSeconds, areThoseOfMemoryWhereThatIsSlower) {
  CostAttribute costs;
  const Table slow = costs.evenTable(1e15, 1e9);
  const Work work = absorbed(kV2Lite, 1, 16);
  EXPECT_DOUBLE_EQ(work.flops, 2 * 16 * 512 * 256 + 2 * 16 * 16 * 1088);
  EXPECT_DOUBLE_EQ(work.bytes, 16 * 256 * 512 * 2 + 16 * 576 * 4 + 4 * 16 * (320 + 2 * 1088));
  EXPECT_DOUBLE_EQ(seconds(slow, kV2Lite, MlaForm::absorbed, 1, 16), work.bytes / 1e9);
}

TEST(MlaSeconds, countAnExpansionForEachBlockOfRows) {
  CostAttribute costs;
  const Table table = costs.table("{read_bandwidth = 1.0e15, latent_expansion_rows = 256.0, "
                                  "attention = {latent_expand = 1.0e9}}");
  const double once = seconds(table, kV2Lite, MlaForm::materialised, 256, 1000);
  EXPECT_DOUBLE_EQ(once, 2 * 1000 * 16 * 512 * 256.0 / 1e9);
  EXPECT_DOUBLE_EQ(seconds(table, kV2Lite, MlaForm::materialised, 257, 1000), 2 * once);
}

TEST(AbsorbedShare, isOfTheTargetThatLosesMost) {
  CostAttribute costs;
  const Table even = costs.evenTable(1e9, 1e15), slow_memory = costs.evenTable(1e15, 1e9);
  const double flops = absorbed(kV2Lite, 64, 2048).flops / materialised(kV2Lite, 64, 2048).flops,
               bytes = absorbed(kV2Lite, 64, 2048).bytes / materialised(kV2Lite, 64, 2048).bytes;
  ASSERT_LT(flops, bytes);
  EXPECT_DOUBLE_EQ(absorbedShare({}, kV2Lite, 64, 2048), flops);
  EXPECT_NEAR(absorbedShare({even}, kV2Lite, 64, 2048), flops, 1e-6);
  EXPECT_NEAR(absorbedShare({even, slow_memory}, kV2Lite, 64, 2048), bytes, 1e-6);
}

TEST(CostText, hasThreeDigitsAndAUnit) {
  EXPECT_EQ(workText({71.3e6, 999.6e3}), "71.3 MFLOP and 1 MB");
  EXPECT_EQ(workText({5, 999}), "5 FLOP and 999 B");
  EXPECT_EQ(timeText(1.234), "1.23 s");
  EXPECT_EQ(timeText(0.00123), "1.23 ms");
  EXPECT_EQ(timeText(0.0000456), "45.6 us");
}

} // namespace
} // namespace lathe::passes::cost
