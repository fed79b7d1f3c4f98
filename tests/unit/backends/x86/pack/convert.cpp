// The packer's conversions against the reference interpreter's, which are written as lathe.weight
// defines them.
#include "backends/x86/pack/convert.h"

#include <gmock/gmock.h>

#include "../kernels/test_weight.h"
#include "backends/reference/quantization.h"
#include "backends/x86/pack/source.h"

namespace lathe::x86 {
namespace {

using testing::HasSubstr;

const Target targets[] = {
    {}, {Format::e4m3, 128, 128}, {Format::e4m3, 5, 7}, {Format::i8, 1, 32}, {Format::i4, 1, 32}};

reference::Tensor tensorOf(const TestMatrix &matrix) {
  reference::Tensor tensor({matrix.source.rows, matrix.source.columns});
  for (size_t i = 0; i < tensor.values.size(); ++i)
    tensor.values[i] = static_cast<float>(matrix.values[i]);
  return tensor;
}

// What the definition makes of the matrix, dequantised.
std::vector<float> defined(const TestMatrix &matrix, const Target &target) {
  if (target.format == Format::bf16)
    return reference::cast(tensorOf(matrix), reference::Element::bf16).values;
  auto kind = target.format == Format::i8   ? reference::CodeKind::i8
              : target.format == Format::i4 ? reference::CodeKind::i4
                                            : reference::CodeKind::e4m3;
  return reference::dequantize(reference::quantizeWeight(tensorOf(matrix), kind, target.block_rows,
                                                         target.block_columns))
      .values;
}

float valueAt(const RowWindow &window, int64_t row, int64_t column) {
  const SourceMatrix &m = *window.matrix;
  int64_t i = row - window.first_row, bytes = formatBytes(m.format);
  const uint8_t *code = m.codes.data() + (i * m.columns + column) * bytes;
  uint32_t bits = 0;
  std::memcpy(&bits, code, static_cast<size_t>(bytes));
  float value = isInteger(m.format) ? static_cast<float>(static_cast<int8_t>(*code))
                                    : static_cast<float>(decodeDouble(m.format, bits));
  return m.has_scales ? value * scaleAt(m, i, column) : value;
}

const WeightCase sources[] = {
    {Format::f32, {}},         {Format::bf16, {}},           {Format::f16, {}},
    {Format::e4m3, {}},        {Format::e5m2, {12, 40}},     {Format::e4m3, {128, 128}},
    {Format::e4m3, {32, 128}}, {Format::e4m3, {1, 1 << 20}}, {Format::e5m2, {1 << 20, 1 << 20}},
};

TEST(PackedRows, holdWhatTheDefinitionSaysForEverySourceAndTarget) {
  for (const WeightCase &c : sources)
    for (const Target &target : targets)
      for (auto [rows, columns] :
           {std::pair<int64_t, int64_t>{1, 1}, {1, 100}, {17, 31}, {33, 65}, {150, 300}}) {
        auto m = testMatrix(rows, columns, c.format, c.block, 5);
        m->source.target = target;
        std::vector<float> expected = defined(*m, target);
        PackedRows packed(m->source);
        for (int64_t row = 0; row < rows; row += 16) {
          auto window = packed.window(row, std::min(row + 16, rows));
          ASSERT_TRUE(window.ok()) << window.status();
          for (int64_t i = row; i < std::min(row + 16, rows); ++i)
            for (int64_t j = 0; j < columns; ++j)
              ASSERT_EQ(valueAt(*window, i, j), expected[size_t(i * columns + j)])
                  << formatName(c.format) << " to " << formatName(target.format) << ", " << rows
                  << " x " << columns << ", element " << i << ", " << j;
        }
      }
}

TEST(PackedRows, keepMemoryToTheRowsAskedForInWholeBlocks) {
  auto m = testMatrix(1000, 20, Format::f32, {}, 1);
  m->source.target = Target{Format::e4m3, 128, 128};
  PackedRows packed(m->source);
  RowWindow window = *packed.window(300, 316);
  EXPECT_EQ(window.first_row, 256);
  EXPECT_EQ(window.matrix->rows, 128);
  EXPECT_EQ(packed.window(380, 390)->matrix->rows, 256) << "two blocks";
  EXPECT_EQ(packed.window(990, 1000)->matrix->rows, 1000 - 896);
  m->source.target = Target{Format::i8, 1, 32};
  EXPECT_EQ(PackedRows(m->source).window(300, 316)->matrix->rows, 16);
}

TEST(PackedRows, areTheSourceItselfWithoutATarget) {
  auto m = testMatrix(40, 20, Format::f32, {}, 1);
  RowWindow window = *PackedRows(m->source).window(10, 12);
  EXPECT_EQ(window.matrix, &m->source);
  EXPECT_EQ(window.first_row, 0);
}

std::string errorOf(const TestMatrix &matrix, const Target &target) {
  SourceMatrix source = matrix.source;
  source.target = target;
  return std::string(PackedRows(source).window(16, 20).status().message());
}

TEST(PackedRows, nameWhatIsNotANumberAndWhatDoesNotFit) {
  auto m = testMatrix(40, 70, Format::f32, {}, 1);
  auto set = [&](float value) { std::memcpy(&m->codes[(18 * 70 + 33) * 4], &value, 4); };
  set(NAN);
  for (const Target &target : targets)
    EXPECT_THAT(errorOf(*m, target), HasSubstr("w: element [18, 33] is the f32 code 0x7fc00000"));
  set(3.4e38f);
  EXPECT_THAT(errorOf(*m, {}),
              HasSubstr("w: element [18, 33], rounded, is the bf16 code 0x7f80, not a finite"));
  EXPECT_EQ(errorOf(*m, targets[1]), "");
  EXPECT_THAT(errorOf(*m, targets[3]),
              HasSubstr("w: element [18, 32] begins a block whose largest number is 3.4e+38; f16 "
                        "cannot hold its scale"));
  EXPECT_THAT(errorOf(*m, targets[4]), HasSubstr("f16 cannot hold its scale"));
  auto scaled = testMatrix(40, 70, Format::e4m3, {1, 35}, 1);
  uint32_t infinity = 0x7f800000;
  std::memcpy(&scaled->scales[(17 * 2 + 1) * 4], &infinity, 4);
  EXPECT_THAT(errorOf(*scaled, {}), HasSubstr("element [17, 35] has the scale inf"));
}

TEST(CutRows, takesCodesAndScales) {
  auto m = testMatrix(40, 20, Format::e4m3, {8, 7}, 1);
  SourceMatrix part = *cutRows(m->source, 16, 37);
  EXPECT_EQ(part.rows, 21);
  EXPECT_EQ(part.codes.data(), m->codes.data() + 16 * 20);
  EXPECT_EQ(scaleAt(part, 20, 19), scaleAt(m->source, 36, 19));
  EXPECT_TRUE(checkSource(part, wholeMatrix(part)).ok());
  EXPECT_THAT(cutRows(m->source, 12, 20).status().message(),
              HasSubstr("rows from 12 cut a block of 8 rows"));
  EXPECT_FALSE(cutRows(m->source, 30, 41).ok());
}

} // namespace
} // namespace lathe::x86
