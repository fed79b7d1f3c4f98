// Norms, sums, scales, gates, casts, slices and columns side by side.
#include "tests/unit/plugins/onednn/onednn_plugin.h"

namespace lathe::plugins {
namespace {

using testing::FloatNear;
using testing::Pointwise;

class OnednnRows : public OnednnTest {};

float silu(float x) { return static_cast<float>(x / (1 + std::exp(-double{x}))); }

TEST_F(OnednnRows, computesWhatTheDialectSays) {
  for (int64_t rows : {1, 3, 16, 33}) {
    ProgramBuilder builder;
    builder.function("f", rows);
    const size_t size = rows * 21;
    const Floats a = numbers(size, 1), b = numbers(size, 2), g = numbers(7, 3);
    const lathe_value *x = builder.input("a", builder.rows(21));
    const lathe_value *y = builder.input("b", builder.rows(21));
    const lathe_value *scale =
        builder.weight("g", builder.tensor({7}, LATHE_ELEMENT_F16), storedAs(LATHE_ELEMENT_F16, g));
    builder.result("sum", builder.op("lathe.add", {{"lhs", x}, {"rhs", y}}, builder.rows(21)));
    builder.result("times",
                   builder.op("lathe.scale", {{"input", x}}, builder.rows(21), {{"factor", 1.5}}));
    builder.result("gate", builder.op("lathe.swiglu", {{"gate", x}, {"up", y}}, builder.rows(21)));
    builder.result("norm", builder.op("lathe.rms_norm", {{"input", x}, {"scale", scale}},
                                      builder.rows(21), {{"epsilon", 1e-3}}));
    const auto results = run(builder, {a, b}, {size, size, size, size}, rows);
    Floats sum, times, gate;
    for (size_t i = 0; i < size; ++i) {
      sum.push_back(a[i] + b[i]);
      times.push_back(a[i] * 1.5f);
      gate.push_back(silu(a[i]) * b[i]);
    }
    EXPECT_EQ(results[0], sum);
    EXPECT_EQ(results[1], times);
    EXPECT_THAT(results[2], Pointwise(FloatNear(2e-6), gate));
    EXPECT_THAT(results[3], Pointwise(FloatNear(2e-6), rmsNorm(a, g, 1e-3)));
  }
}

// Where an exponential in f32 is no normal number any more, the gate times it still is.
TEST_F(OnednnRows, keepsGatesFarBelowZero) {
  ProgramBuilder builder;
  builder.function("f", 1);
  const lathe_value *gate = builder.input("gate", builder.rows(4));
  const lathe_value *up = builder.input("up", builder.rows(4));
  builder.result("y", builder.op("lathe.swiglu", {{"gate", gate}, {"up", up}}, builder.rows(4)));
  const Floats x = {-86, -88, -90, -1000};
  const Floats y = run(builder, {x, {1e20f, 1e20f, 1e20f, 1e20f}}, {4}, 1)[0];
  for (size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(y[i], x[i] * std::exp(double{x[i]}) * 1e20, 1e-20) << x[i];
}

// Slices are views into a wider matrix: rows are not one after the other.
TEST_F(OnednnRows, worksOnColumnsOfAWiderMatrix) {
  ProgramBuilder builder;
  builder.function("f", 3);
  const Floats x = numbers(3 * 10, 1), w = numbers(2 * 4, 2);
  const lathe_value *in = builder.input("x", builder.rows(10));
  const auto slice = [&](int64_t offset) {
    return builder.op("lathe.slice", {{"input", in}}, builder.rows(4), {{"offset", 0, offset}});
  };
  const lathe_value *left = slice(1), *right = slice(6);
  const lathe_value *weight =
      builder.weight("w", builder.tensor({2, 4}), storedAs(LATHE_ELEMENT_F32, w));
  builder.result("sum", builder.op("lathe.add", {{"lhs", left}, {"rhs", right}}, builder.rows(4)));
  builder.result("gate",
                 builder.op("lathe.swiglu", {{"gate", left}, {"up", right}}, builder.rows(4)));
  builder.result("y",
                 builder.op("lathe.linear", {{"x", right}, {"weight", weight}}, builder.rows(2)));
  builder.result(
      "both", builder.op("lathe.concat", {{"inputs", right}, {"inputs", left}}, builder.rows(8)));
  builder.result("left", left);
  const auto results = run(builder, {x}, {12, 12, 6, 24, 12}, 3);
  for (size_t t = 0; t < 3; ++t)
    for (size_t j = 0; j < 4; ++j) {
      const float a = x[t * 10 + 1 + j], b = x[t * 10 + 6 + j];
      EXPECT_EQ(results[0][t * 4 + j], a + b);
      EXPECT_NEAR(results[1][t * 4 + j], silu(a) * b, 2e-6);
      EXPECT_EQ(results[3][t * 8 + j], b);
      EXPECT_EQ(results[3][t * 8 + 4 + j], a);
      EXPECT_EQ(results[4][t * 4 + j], a);
    }
  for (size_t t = 0; t < 3; ++t) {
    const Floats row(x.begin() + t * 10 + 6, x.begin() + t * 10 + 10);
    const Floats y = linear(row, w, {}, 4);
    EXPECT_NEAR(results[2][t * 2], y[0], 1e-5);
    EXPECT_NEAR(results[2][t * 2 + 1], y[1], 1e-5);
  }
}

TEST_F(OnednnRows, roundsToHalfFloats) {
  for (uint32_t element : {LATHE_ELEMENT_BF16, LATHE_ELEMENT_F16}) {
    ProgramBuilder builder;
    builder.function("f", 1);
    Floats x = {0,       -0.0f,   1,       1.0009765f, 65504,  65520, 1e6f,     -1e6f,
                6.1e-5f, 5.9e-8f, 2.9e-8f, 3.0e-8f,    1e-30f, NAN,   INFINITY, 3.14159f};
    for (float number : numbers(100, 5))
      x.push_back(number * 1.2345f);
    const auto columns = static_cast<int64_t>(x.size());
    const lathe_type *half = builder.tensor({LATHE_EXTENT_ROWS, columns}, element);
    const lathe_value *rounded =
        builder.op("lathe.cast", {{"input", builder.input("x", builder.rows(columns))}}, half);
    builder.result("y", builder.op("lathe.cast", {{"input", rounded}}, builder.rows(columns)));
    const Floats y = run(builder, {x}, {x.size()}, 1)[0];
    for (size_t i = 0; i < x.size(); ++i) {
      const float expected = element == LATHE_ELEMENT_BF16 ? f32FromBf16(bf16FromF32(x[i]))
                                                           : f32FromF16(f16FromF32(x[i]));
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(y[i])) << i;
      else
        EXPECT_EQ(y[i], expected) << x[i];
    }
  }
}

// Rows of experts, rows of the output only, and rows whose number never changes.
TEST_F(OnednnRows, countsEachKindOfRows) {
  ProgramBuilder builder;
  builder.function("f", 6);
  const lathe_type *types[] = {builder.rows(5, 4), builder.outputRows(5), builder.tensor({2, 5})};
  for (const lathe_type *type : types) {
    const lathe_value *x = builder.input("x", type);
    builder.result("y", builder.op("lathe.add", {{"lhs", x}, {"rhs", x}}, type));
  }
  auto compiled = Compiled::make(*plugin_, builder.program());
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  auto loaded = Loaded::make(*plugin_, *compiled);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  for (int64_t output_rows : {0, 2, 3}) {
    const std::vector<size_t> sizes = {60, static_cast<size_t>(output_rows * 5), 10};
    std::vector<Floats> inputs;
    for (size_t size : sizes)
      inputs.push_back(numbers(size, size + 1));
    auto results = loaded->run("f", inputs, sizes, 3, output_rows);
    ASSERT_TRUE(results.ok()) << results.status();
    for (size_t i = 0; i < 3; ++i)
      for (size_t j = 0; j < sizes[i]; ++j)
        EXPECT_EQ((*results)[i][j], 2 * inputs[i][j]);
  }
}

} // namespace
} // namespace lathe::plugins
