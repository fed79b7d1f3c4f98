#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/x86/pack/pack.h"

namespace lathe::x86 {
namespace {

// The layout's name for a source of the shape with blocks of that size.
std::string nameOf(int64_t rows, int64_t columns, int64_t block_rows, int64_t block_columns,
                   const MatrixView &view) {
  static std::vector<uint8_t> bytes(1 << 22);
  SourceMatrix source;
  source.format = Format::e4m3;
  source.rows = rows;
  source.columns = columns;
  source.codes = absl::MakeSpan(bytes.data(), static_cast<size_t>(rows * columns));
  source.has_scales = block_rows != 0;
  source.block_rows = block_rows;
  source.block_columns = block_columns;
  if (block_rows)
    source.scales =
        absl::MakeSpan(bytes.data(), static_cast<size_t>(ceilDiv(rows, block_rows) *
                                                         ceilDiv(columns, block_columns) * 4));
  auto layout = chooseTileLayout({&source, 1}, view);
  EXPECT_TRUE(layout.ok()) << layout.status();
  return layout->name();
}

MatrixView whole(int64_t rows) { return {1, 0, 0, rows, false}; }

TEST(ChooseTileLayout, sharesScalesOfATileWhereBlocksAllow) {
  EXPECT_EQ(nameOf(576, 512, 128, 128, whole(576)), "tile16xf8e4m3+scale128");
  EXPECT_EQ(nameOf(576, 512, 576, 512, whole(576)), "tile16xf8e4m3+scale512");
  EXPECT_EQ(nameOf(576, 512, 1 << 20, 1 << 20, whole(576)), "tile16xf8e4m3+scale512");
  EXPECT_EQ(nameOf(576, 512, 0, 0, whole(576)), "tile16xf8e4m3");
}

TEST(ChooseTileLayout, keepsAScaleALaneWhereBlocksCutTiles) {
  EXPECT_EQ(nameOf(576, 512, 1, 512, whole(576)), "tile16xf8e4m3+lanescale512");
  EXPECT_EQ(nameOf(576, 512, 100, 128, whole(576)), "tile16xf8e4m3+lanescale128");
  EXPECT_EQ(nameOf(576, 512, 128, 128, {1, 8, 0, 500, false}), "tile16xf8e4m3+lanescale128")
      << "rows from 8 on";
  EXPECT_EQ(nameOf(576, 512, 128, 128, {1, 128, 0, 40, false}), "tile16xf8e4m3+scale128");
}

TEST(ChooseTileLayout, findsTheLongestRunOfTransposedHeads) {
  EXPECT_EQ(nameOf(2048, 512, 128, 128, {8, 0, 256, 128, true}), "tile16xf8e4m3+scale128")
      << "heads fill blocks";
  EXPECT_EQ(nameOf(28 * 11, 512, 128, 128, {11, 0, 28, 16, true}), "tile16xf8e4m3+scale4")
      << "borders at 16 k + 4";
  EXPECT_EQ(nameOf(2048, 512, 1, 512, {8, 0, 256, 128, true}), "tile16xf8e4m3+scale1")
      << "a scale a channel";
  EXPECT_EQ(nameOf(2048, 200, 128, 100, {8, 0, 256, 128, true}), "tile16xf8e4m3+lanescale128")
      << "columns cut tiles";
}

TEST(ChooseTileLayout, cutsRunsThatKernelsCannotSum) {
  EXPECT_EQ(nameOf(16, 900, 16, 300, whole(16)), "tile16xf8e4m3+scale150");
  EXPECT_EQ(nameOf(16, 900, 16, 384, whole(16)), "tile16xf8e4m3+scale384");
}

} // namespace
} // namespace lathe::x86
