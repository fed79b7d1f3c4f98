// The crossover that follows from FLOPs alone, for DeepSeek-V2's heads (128 + 64, 128, a latent of
// 512): S c (n + v) / (c (n + v) + S (2 c + r - n - r - v)) rows for S keys.
#include <gmock/gmock.h>

#include "passes/cost/mla.h"

namespace lathe::passes::cost {
namespace {

constexpr MlaShape kV2Lite = {16, 128, 64, 128, 512, 16 * 256 * 512 * 2.0, 4};
constexpr MlaShape kV3 = {128, 128, 64, 128, 512, 128 * 256 * 512 * 1.0, 2};

bool absorbedIsCheaper(const MlaShape &shape, double rows, double keys) {
  return absorbed(shape, rows, keys).seconds() <= materialised(shape, rows, keys).seconds();
}

struct Crossover {
  double keys, rows; // the most rows for which absorbed is cheaper
};

class MlaCost : public testing::TestWithParam<Crossover> {};

TEST_P(MlaCost, crossesOverWhereTheFormulaSays) {
  for (const MlaShape &shape : {kV2Lite, kV3}) {
    EXPECT_TRUE(absorbedIsCheaper(shape, GetParam().rows, GetParam().keys));
    EXPECT_FALSE(absorbedIsCheaper(shape, GetParam().rows + 1, GetParam().keys));
  }
}

INSTANTIATE_TEST_SUITE_P(Contexts, MlaCost,
                         testing::Values(Crossover{512, 128}, Crossover{2048, 157},
                                         Crossover{1e7, 170}));

TEST(MlaCostOfOneRow, isBoundByMemoryWhenAbsorbedOverAShortContext) {
  const Work work = absorbed(kV2Lite, 1, 16);
  EXPECT_DOUBLE_EQ(work.flops, 2 * 16 * 512 * 256 + 2 * 16 * 16 * 1088);
  EXPECT_DOUBLE_EQ(work.bytes, 16 * 256 * 512 * 2 + 16 * 576 * 4 + 4 * 16 * (320 + 2 * 1088));
  EXPECT_DOUBLE_EQ(work.seconds(), work.bytes / 22.5e9);
}

TEST(MlaCostAsText, hasThreeDigitsAndAUnit) {
  EXPECT_EQ(workText({71.3e6, 999.6e3}), "71.3 MFLOP and 1 MB");
  EXPECT_EQ(workText({5, 999}), "5 FLOP and 999 B");
  EXPECT_EQ(timeText(0.00123), "1.23 ms");
  EXPECT_EQ(timeText(0.0000456), "45.6 us");
}

} // namespace
} // namespace lathe::passes::cost
