#include "backends/x86/kernels/linear.h"

#include "backends/x86/kernels/rows.h"
#include "test_weight.h"

namespace lathe::x86 {
namespace {

struct Case {
  int64_t rows, n, k;
  WeightCase weight;
  int64_t x_block = 0;
  bool bias = false, residual = false;
  int64_t batch = 1;
  int64_t tiles_per_item = 2;
};

struct Outcome {
  std::vector<float> values;
};

double swish(double x) { return x / (1 + std::exp(-x)); }

// Runs the case over rows [first, first + rows) of one big x and checks it against double. One row
// is a decode step's.
Outcome runLinear(const Case &c, int64_t first = 0, int64_t all_rows = 0) {
  SCOPED_TRACE(testing::Message() << "rows " << c.rows << " n " << c.n << " k " << c.k << " format "
                                  << c.weight.format << " block " << c.weight.block.rows << "x"
                                  << c.weight.block.columns);
  all_rows = std::max(all_rows, c.rows);
  StepMemory memory(c.rows);
  TestStack w = testStack(memory, c.batch, c.n, c.k, c.weight, 3);
  int64_t x_stride = c.batch * c.k + 3, y_stride = c.batch * c.n + 5,
          blocks = c.x_block ? ceilDiv(c.k, c.x_block) : 0;
  std::vector<float> x = c.x_block ? randomCodes(all_rows * x_stride, 4)
                                   : randomFloats(all_rows * x_stride, 4),
                     scales = randomFloats(all_rows * (blocks + 1), 5);
  std::vector<float> bias = randomFloats(c.batch * c.n, 6),
                     residual = randomFloats(all_rows * y_stride, 7);
  x.erase(x.begin(), x.begin() + first * x_stride);
  residual.erase(residual.begin(), residual.begin() + first * y_stride);
  LinearParams p = {w.layout.params(),
                    {c.x_block ? Activations::w8a8 : Activations::f32, x_stride, c.x_block, blocks},
                    c.rows == 1 ? RowSource::none : RowSource::rows,
                    1,
                    c.bias,
                    c.residual,
                    y_stride,
                    c.batch,
                    c.k,
                    c.n,
                    c.tiles_per_item};
  int64_t result = memory.space<float>(c.rows * y_stride);
  memory.run(
      lathe_x86_linear,
      {memory.put(x), memory.put(scales), w.place, memory.put(bias), memory.put(residual), result},
      p, linearItems(p));
  const float *y = memory.at<float>(result);
  for (int64_t t = 0; t < c.rows; ++t)
    for (int64_t b = 0; b < c.batch; ++b)
      for (int64_t n = 0; n < c.n; ++n) {
        int64_t place = t * y_stride + b * c.n + n;
        double sum = 0, size = 0;
        for (int64_t k = 0; k < c.k; ++k) {
          double term = double(x[size_t(t * x_stride + b * c.k + k)]) * w.value(b, n, k);
          if (c.x_block)
            term *= scales[size_t(t * blocks + k / c.x_block)];
          sum += term;
          size += std::abs(term);
        }
        sum += c.bias ? bias[size_t(b * c.n + n)] : 0;
        sum += c.residual ? residual[size_t(place)] : 0;
        expectNear(y[place], sum, size + std::abs(sum), 3e-6, "result", t, b * c.n + n);
      }
  Outcome outcome;
  for (int64_t t = 0; t < c.rows; ++t)
    outcome.values.insert(outcome.values.end(), y + t * y_stride, y + t * y_stride + c.batch * c.n);
  return outcome;
}

TEST(Linear, agreesWithDoubleInEveryFormat) {
  for (const WeightCase &weight : weight_cases)
    for (int64_t rows : {1, 2, 9})
      for (auto [n, k] :
           {std::pair<int64_t, int64_t>{100, 300}, {12, 20}, {36, 129}, {1, 1}, {16, 256}})
        runLinear({rows, n, k, weight});
}

TEST(Linear, takesAllRowCountsUpToNineAndBlocksOfRows) {
  for (int64_t rows : {3, 4, 5, 6, 7, 8, 13, 97, 200})
    runLinear({rows, 70, 140, {Format::e4m3, {32, 128}}});
}

TEST(Linear, addsBiasAndResidual) {
  for (int64_t rows : {1, 5})
    runLinear({rows, 37, 65, {Format::bf16, {}}, 0, true, true});
}

TEST(Linear, multipliesScalesOfActivationsBlockByBlock) {
  for (int64_t rows : {1, 7})
    for (const WeightCase &weight : weight_cases)
      if (weight.block.columns != 40) // 40 and 128 do not divide one another
        runLinear({rows, 50, 300, weight, 128});
  runLinear({3, 20, 96, {Format::e4m3, {16, 64}}, 32});
  runLinear({1, 20, 96, {Format::e4m3, {16, 32}}, 64});
}

// Tiles of AMX: one, two, three with two behind them, blocks of rows of which the last is shorter.
TEST(Linear, cutsManyRows) {
  for (int64_t rows : {9, 20, 40, 71, 259}) {
    runLinear({rows, 50, 300, {Format::e4m3, {16, 128}}, 128});
    runLinear({rows, 90, 72, {Format::e4m3, {16, 32}}});
  }
}

// Rows of bf16 numbers in each form that memory has of them. What no product should read is NaN.
struct NarrowRows {
  std::vector<float> wide;
  std::vector<uint16_t> rows, steps;

  NarrowRows(int64_t count, int64_t k, int64_t stride)
      : rows(static_cast<size_t>(count * stride), 0x7fc0),
        steps(static_cast<size_t>(stepsBytes(count, k) / 2), 0x7fc0) {
    wide = randomFloats(count * stride, 4);
    for (int64_t t = 0; t < count; ++t)
      for (int64_t j = 0; j < roundUp(k, 32); ++j) {
        float *value = &wide[static_cast<size_t>(t * stride + j)];
        uint32_t bits = j < k ? __builtin_bit_cast(uint32_t, *value) & 0xffff0000u : 0;
        steps[static_cast<size_t>((j / 32 * stepStride(count) + t) * 32 + j % 32)] =
            static_cast<uint16_t>(bits >> 16);
        if (j < k)
          *value = __builtin_bit_cast(float, bits),
          rows[static_cast<size_t>(t * stride + j)] = static_cast<uint16_t>(bits >> 16);
      }
  }
};

// The same bits as of the same numbers in f32, in every form; blocks of k that steps fit and
// others.
TEST(Linear, takesRowsThatAreBf16InMemory) {
  constexpr int64_t n = 50, k = 172, stride = k + 30;
  for (int64_t rows : {1, 2, 20, 40, 259})
    for (const WeightCase &weight : weight_cases) {
      StepMemory memory(rows);
      TestStack w = testStack(memory, 1, n, k, weight, 3);
      NarrowRows x(rows, k, stride);
      auto run = [&](XParams form, int64_t place, int64_t source) {
        int64_t result = memory.space<float>(rows * n);
        LinearParams p = {w.layout.params(), form, source, 1, 0, 0, n, 1, 0, 0, 2};
        memory.run(lathe_x86_linear, {place, no_operand, w.place, no_operand, no_operand, result},
                   p, linearItems(p));
        const float *at = memory.at<float>(result);
        return std::vector<float>(at, at + (source ? rows : 1) * n);
      };
      int64_t wide = memory.put(x.wide), narrow = memory.put(x.rows), steps = memory.put(x.steps);
      for (int64_t source : {RowSource::none, RowSource::rows}) {
        std::vector<float> want = run({Activations::bf16, stride, 0, 0}, wide, source);
        EXPECT_EQ(run({Activations::bf16, stride, 0, 0, RowsIn::bf16}, narrow, source), want);
        EXPECT_EQ(
            run({Activations::bf16, stepStride(rows), 0, 0, RowsIn::bf16_steps}, steps, source),
            want);
      }
    }
}

TEST(Linear, runsAMatrixAHead) {
  for (int64_t rows : {1, 4})
    runLinear({rows, 20, 12, {Format::bf16, {}}, 0, true, false, 5, 1});
}

// Wide forms add in another order, and so does one row of e4m3 and i4 (backends/x86/README.md).
#if !LATHE_X86_WIDE
TEST(Linear, givesARowAloneTheBitsThatItHasInCompany) {
  for (const WeightCase &weight : weight_cases) {
    if (weight.format == Format::e4m3 || weight.format == Format::i4)
      continue;
    Outcome all = runLinear({8, 53, 300, weight});
    for (int64_t t = 0; t < 8; ++t) {
      Outcome one = runLinear({1, 53, 300, weight}, t, 8);
      std::vector<float> same(all.values.begin() + t * 53, all.values.begin() + (t + 1) * 53);
      EXPECT_EQ(0, std::memcmp(one.values.data(), same.data(), 53 * 4)) << "row " << t;
    }
  }
}
#endif

// One row times a packed matrix.
std::vector<float> oneRow(StepMemory &memory, const std::vector<float> &x,
                          const std::vector<uint8_t> &bytes, const TileLayout &layout, int64_t n) {
  LinearParams p = {layout.params(),
                    {Activations::f32, int64_t(x.size()), 0, 0},
                    RowSource::none,
                    1,
                    0,
                    0,
                    n,
                    1,
                    0,
                    0,
                    ceilDiv(n, 16)};
  int64_t result = memory.space<float>(n);
  memory.run(lathe_x86_linear,
             {memory.put(x), no_operand, memory.put(bytes), no_operand, no_operand, result}, p,
             linearItems(p));
  const float *at = memory.at<float>(result);
  return std::vector<float>(at, at + n);
}

void expectProduct(const std::vector<float> &x, const TestMatrix &m,
                   const std::vector<float> &sums) {
  int64_t k = int64_t(x.size());
  for (int64_t n = 0; n < int64_t(sums.size()); ++n) {
    double sum = 0, size = 0;
    for (int64_t i = 0; i < k; ++i) {
      double term = double(x[size_t(i)]) * m.values[size_t(n * k + i)];
      sum += term;
      size += std::abs(term);
    }
    expectNear(sums[size_t(n)], sum, size, 3e-6, "result", 0, n);
  }
}

// Tiles with few subnormal codes and tiles with many side by side, in groups of each size. What a
// tile says of itself chooses the way to its sums, and not one bit of them.
TEST(Linear, takesTilesOfFewAndOfManySubnormalCodes) {
  constexpr int64_t k = 263;
  for (int64_t tiles : {1, 2, 3, 4, 7, 12})
    for (int64_t many : {int64_t{0}, tiles / 2, tiles - 1}) {
      StepMemory memory(1);
      auto m = testMatrix(tiles * 16, k, Format::e4m3, {16, 256}, 3, Codes::few_subnormals);
      for (int64_t i = many * 16 * k; i < (many + 1) * 16 * k; i += 3) {
        if ((m->codes[size_t(i)] & 0x7f) == 0)
          continue;
        m->values[size_t(i)] *= -0x1p-9 / decodeDouble(Format::e4m3, m->codes[size_t(i)]);
        m->codes[size_t(i)] = 0x81; // -2^-9
      }
      TileLayout layout;
      std::vector<uint8_t> bytes = packed({&m->source, 1}, wholeMatrix(m->source), layout);
      std::vector<float> x = randomFloats(k, 4);
      std::vector<float> sums = oneRow(memory, x, bytes, layout, tiles * 16);
      expectProduct(x, *m, sums);
      for (uint32_t few : {0, 1}) {
        for (int64_t end = layout.params().tile_bytes; end <= int64_t(bytes.size());
             end += layout.params().tile_bytes)
          std::memcpy(&bytes[size_t(end - 4)], &few, 4);
        EXPECT_EQ(oneRow(memory, x, bytes, layout, tiles * 16), sums)
            << tiles << " tiles, all say " << few;
      }
    }
}

// Scales and rows that are nearly as small, or as large, as an f32 can be; results are not.
TEST(Linear, keepsScalesAndRowsOfEverySize) {
  constexpr int64_t n = 32, k = 140;
  for (auto [scale, row] :
       {std::pair{0x1p-100f, 0x1p30f}, {0x1p-118f, 0x1p60f}, {0x1p100f, 0x1p-60f}}) {
    StepMemory memory(1);
    auto m = testMatrix(n, k, Format::e4m3, {16, 128}, 3, Codes::few_subnormals);
    for (size_t i = 0; i < m->scales.size(); i += 4) {
      float value;
      std::memcpy(&value, &m->scales[i], 4);
      value *= scale;
      std::memcpy(&m->scales[i], &value, 4);
    }
    for (double &value : m->values)
      value *= scale;
    TileLayout layout;
    std::vector<uint8_t> bytes = packed({&m->source, 1}, wholeMatrix(m->source), layout);
    std::vector<float> x = randomFloats(k, 4);
    for (float &value : x)
      value *= row;
    expectProduct(x, *m, oneRow(memory, x, bytes, layout, n));
  }
}

TEST(Linear, readsOutputRows) {
  StepMemory memory(9, 2);
  TestStack w = testStack(memory, 1, 5, 7, {Format::f32, {}}, 3);
  std::vector<float> x = randomFloats(2 * 7, 4);
  LinearParams p = {w.layout.params(),
                    {Activations::f32, 7, 0, 0},
                    RowSource::output_rows,
                    1,
                    0,
                    0,
                    5,
                    1,
                    0,
                    0,
                    4};
  int64_t result = memory.space<float>(3 * 5);
  memory.run(lathe_x86_linear, {memory.put(x), no_operand, w.place, no_operand, no_operand, result},
             p, linearItems(p));
  EXPECT_FALSE(std::isnan(memory.at<float>(result)[9]));
  EXPECT_TRUE(std::isnan(memory.at<float>(result)[10])) << "a third row was written";
  memory.frame.output_rows = 0;
  memory.run(lathe_x86_linear, {memory.put(x), no_operand, w.place, no_operand, no_operand, result},
             p, linearItems(p));
}

TEST(GatedLinear, isSwigluOfBothProducts) {
  for (const WeightCase &weight : weight_cases)
    for (int64_t rows : {1, 3, 10})
      for (int64_t bias : {0, 1}) {
        int64_t n = 44, k = 150;
        StepMemory memory(rows);
        TestStack gate = testStack(memory, 1, n, k, weight, 3);
        TestStack up = testStack(memory, 1, n, k, weight, 30);
        float deviation = weight.block.rows ? 0.05f : weight.format >= Format::e4m3 ? 0.001f : 0.2f;
        std::vector<float> x = randomFloats(rows * k, 4, deviation);
        std::vector<float> gate_bias = randomFloats(n, 8), up_bias = randomFloats(n, 9);
        GatedLinearParams p = {gate.layout.params(),
                               {Activations::f32, k, 0, 0},
                               RowSource::rows,
                               bias,
                               n,
                               RowsIn::f32,
                               2};
        int64_t result = memory.space<float>(rows * n);
        memory.run(lathe_x86_gated_linear,
                   {memory.put(x), no_operand, gate.place, up.place, memory.put(gate_bias),
                    memory.put(up_bias), result},
                   p, gatedLinearItems(p));
        p.result_in = RowsIn::bf16_steps, p.result_stride = stepStride(rows);
        int64_t steps = memory.space<char>(stepsBytes(rows, n));
        memory.run(lathe_x86_gated_linear,
                   {memory.put(x), no_operand, gate.place, up.place, memory.put(gate_bias),
                    memory.put(up_bias), steps},
                   p, gatedLinearItems(p));
        expectSteps(memory.at<uint16_t>(steps), memory.at<float>(result), rows, n);
        for (int64_t t = 0; t < rows; ++t)
          for (int64_t j = 0; j < n; ++j) {
            double g = bias ? gate_bias[size_t(j)] : 0, u = bias ? up_bias[size_t(j)] : 0, gs = 0,
                   us = 0;
            for (int64_t i = 0; i < k; ++i) {
              g += x[size_t(t * k + i)] * gate.value(0, j, i);
              u += x[size_t(t * k + i)] * up.value(0, j, i);
              gs += std::abs(x[size_t(t * k + i)] * gate.value(0, j, i));
              us += std::abs(x[size_t(t * k + i)] * up.value(0, j, i));
            }
            expectNear(memory.at<float>(result)[t * n + j], swish(g) * u, (gs + 1) * (us + 1), 1e-5,
                       "result", t, j);
          }
      }
}

} // namespace
} // namespace lathe::x86
