// Rows of integers: products in integers give the bits of the same codes as f32.
#include "backends/x86/kernels/linear.h"
#include "integer_rows.h"

namespace lathe::x86 {
namespace {

std::vector<float> productOf(StepMemory &memory, const TestStack &w, int64_t rows, int64_t x,
                             int64_t scales, int64_t rows_in, int64_t n, int64_t k) {
  const int64_t result = memory.space<float>(rows * n);
  LinearParams p = {w.layout.params(),
                    {Activations::w8a8, kStride, 32, ceilDiv(k, 32), rows_in},
                    rows == 1 ? RowSource::none : RowSource::rows,
                    1,
                    0,
                    0,
                    n,
                    1,
                    0,
                    0,
                    3};
  EXPECT_EQ(takesIntegers(p.weight, p.x), rows_in == RowsIn::i8 && isInteger(p.weight.format));
  memory.run(lathe_x86_linear, {x, scales, w.place, no_operand, no_operand, result}, p,
             linearItems(p));
  const float *at = memory.at<float>(result);
  return {at, at + rows * n};
}

void compareForms(int64_t rows, int64_t n, int64_t k, const WeightCase &weight, auto codeOf) {
  SCOPED_TRACE(testing::Message() << "rows " << rows << " n " << n << " k " << k << " format "
                                  << weight.format << " block " << weight.block.columns);
  StepMemory memory(rows);
  TestStack w = testStack(memory, 1, n, k, weight, 3);
  IntegerRows x(rows, k, codeOf);
  const int64_t scales = memory.put(randomFloats(rows * ceilDiv(k, 32), 5)),
                wide = memory.put(x.wide), narrow = memory.put(x.codes);
  EXPECT_EQ(productOf(memory, w, rows, narrow, scales, RowsIn::i8, n, k),
            productOf(memory, w, rows, wide, scales, RowsIn::f32, n, k));
}

TEST(IntegerRows, giveTheBitsOfTheSameCodesInF32) {
  for (const WeightCase &weight : kIntegers)
    for (int64_t rows : {1, 2, 5, 6, 7, 13, 97, 200})
      for (auto [n, k] : {std::pair<int64_t, int64_t>{50, 32}, {16, 256}, {100, 640}, {1, 288}})
        compareForms(rows, n, k, weight, anyCode);
}

TEST(IntegerRows, mayEndInsideABlock) {
  for (const WeightCase &weight : kIntegers)
    for (int64_t k : {1, 7, 20, 33, 172, 270, 301})
      for (int64_t rows : {1, 8})
        compareForms(rows, 36, k, weight, anyCode);
}

// Nothing overflows where all codes are as large as they get.
TEST(IntegerRows, takeTheLargestCodes) {
  for (int64_t code : {127, -127})
    for (auto [format, rows] : {std::pair<int64_t, int64_t>{Format::i8, 1},
                                {Format::i8, 8},
                                {Format::i4, 1},
                                {Format::i4, 8}}) {
      StepMemory memory(rows);
      TestMatrix m;
      const int64_t n = 16, k = 64;
      const float least = format == Format::i8 ? -127.0f : -8.0f;
      std::vector<float> values(static_cast<size_t>(n * k), least);
      m.source.name = "w", m.source.format = Format::f32;
      m.source.rows = n, m.source.columns = k;
      m.codes.resize(values.size() * 4);
      std::memcpy(m.codes.data(), values.data(), m.codes.size());
      m.source.codes = m.codes;
      m.source.target = Target{static_cast<Format::Kind>(format), 1, 32};
      TestStack w;
      w.place = memory.put(packed({m.source}, wholeMatrix(m.source), w.layout));
      IntegerRows x(rows, k, [&](int64_t, int64_t) { return code; });
      const int64_t scales = memory.put(std::vector<float>(rows * 2, 1.0f));
      for (float got : productOf(memory, w, rows, memory.put(x.codes), scales, RowsIn::i8, n, k))
        EXPECT_EQ(got, static_cast<float>(code * k) * least);
    }
}

// Weights that are no integers, or whose blocks are not the rows', take the codes as f32.
TEST(IntegerRows, meetOtherWeightsAsF32) {
  const int64_t rows = 5, n = 20, k = 96;
  StepMemory memory(rows);
  TestStack w = testStack(memory, 1, n, k, {Format::e4m3, {16, 32}}, 3);
  IntegerRows x(rows, k, anyCode);
  const int64_t scales = memory.put(randomFloats(rows * 3, 5));
  auto run = [&](int64_t place, int64_t rows_in) {
    return productOf(memory, w, rows, place, scales, rows_in, n, k);
  };
  const std::vector<float> got = run(memory.put(x.codes), RowsIn::i8),
                           want = run(memory.put(x.wide), RowsIn::f32);
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], want[i], 1e-4 * (1 + std::abs(want[i])));
}

} // namespace
} // namespace lathe::x86
