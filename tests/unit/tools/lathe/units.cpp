#include "tools/lathe/units.h"

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

TEST(BytesText, takesTheUnitThatLeavesASmallNumber) {
  EXPECT_EQ(bytesText(0), "0 B");
  EXPECT_EQ(bytesText(1023), "1023 B");
  EXPECT_EQ(bytesText(1536), "1.5 KiB");
  EXPECT_EQ(bytesText((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(bytesText(UINT64_MAX), "16.0 EiB");
}

TEST(CountText, isExactWhereItIsSmall) {
  EXPECT_EQ(countText(512), "512");
  EXPECT_EQ(countText(1760000), "1.76 M");
  EXPECT_EQ(countText(671000000000), "671.00 G");
}

TEST(SecondsText, goesFromMillisecondsToMinutes) {
  EXPECT_EQ(secondsText(0.0012), "1.2 ms");
  EXPECT_EQ(secondsText(3.44), "3.4 s");
  EXPECT_EQ(secondsText(125), "2:05 min");
}

TEST(Rates, haveTheirUnits) {
  EXPECT_EQ(rateText(812.34), "812.3 tok/s");
  EXPECT_EQ(percentText(0.1234), "12.3 %");
  EXPECT_EQ(bandwidthText(21.4e9), "21.4 GB/s");
}

TEST(FlopsText, hasThreeDigitsAndAUnit) {
  EXPECT_EQ(flopsText(8704), "8.7 kFLOP");
  EXPECT_EQ(flopsText(15.4e9), "15.4 GFLOP");
  EXPECT_EQ(flopsText(999.6e9), "1 TFLOP");
  EXPECT_EQ(flopsText(5e15), "5e+03 TFLOP");
}

} // namespace
} // namespace lathe::cli
