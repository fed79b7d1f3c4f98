// Products of each kind of weight, shape and number of rows, against plain loops.
#include "tests/unit/plugins/onednn/onednn_plugin.h"

namespace lathe::plugins {
namespace {

struct Shape {
  int64_t n, k;
};

class OnednnProducts : public OnednnTest {
protected:
  void expectLinear(Shape shape, int64_t rows, bool has_bias, uint32_t element, Target target) {
    SCOPED_TRACE(testing::Message() << shape.n << "x" << shape.k << ", rows " << rows
                                    << ", element " << element << ", target " << target);
    ProgramBuilder builder;
    builder.function("f", rows);
    const Floats x = numbers(rows * shape.k, 1), w = numbers(shape.n * shape.k, 2),
                 b = has_bias ? numbers(shape.n, 3) : Floats();
    const lathe_value *in = builder.input("x", builder.rows(shape.k));
    Operands operands = {{"x", in},
                         {"weight", builder.weight("w", builder.tensor({shape.n, shape.k}, element),
                                                   storedAs(element, w))}};
    if (has_bias)
      operands.emplace_back(
          "bias", builder.weight("b", builder.tensor({shape.n}, element), storedAs(element, b)));
    builder.result("y", builder.op("lathe.linear", operands, builder.rows(shape.n)));
    const auto as = [&](const Floats &floats) {
      return target == target_bf16 || element == LATHE_ELEMENT_BF16 ? roundedToBf16(floats)
                                                                    : floats;
    };
    const Floats bias = element == LATHE_ELEMENT_BF16 ? roundedToBf16(b) : b;
    const Floats rows_in = target == target_bf16 ? roundedToBf16(x) : x;
    expectNear(run(builder, {x}, {static_cast<size_t>(rows * shape.n)}, rows, target)[0],
               linear(rows_in, as(w), bias, shape.k), 1e-5);
  }
};

TEST_F(OnednnProducts, takesEachWeightForOneRowAndMany) {
  for (Target target : runnable())
    for (uint32_t element : {LATHE_ELEMENT_F32, LATHE_ELEMENT_F16, LATHE_ELEMENT_BF16})
      for (int64_t rows : {1, 5})
        for (bool has_bias : {false, true})
          expectLinear({29, 37}, rows, has_bias, element, target);
}

TEST_F(OnednnProducts, takesShapesAroundTheSizesOfItems) {
  for (Target target : runnable())
    for (Shape shape :
         {Shape{1, 1}, Shape{1, 70}, Shape{70, 1}, Shape{255, 64}, Shape{257, 64}, Shape{520, 33}})
      for (int64_t rows : {1, 8, 9, 17, 255, 257})
        expectLinear(shape, rows, rows % 2 == 1, LATHE_ELEMENT_F32, target);
}

// One row is cut by the bytes of the weight.
TEST_F(OnednnProducts, takesWeightsOfSeveralItemsForOneRow) {
  for (Target target : runnable())
    expectLinear({200, 4500}, 1, true, LATHE_ELEMENT_F32, target);
}

TEST_F(OnednnProducts, takesSeveralWeightsAtOnceAndGates) {
  ProgramBuilder builder;
  builder.function("f", 3);
  const Floats x = numbers(3 * 20, 1), a = numbers(7 * 20, 2), b = numbers(9 * 20, 3),
               ab = numbers(7, 4), bb = numbers(9, 5), up = numbers(7 * 20, 6);
  const lathe_value *in = builder.input("x", builder.rows(20));
  const auto weight = [&](std::vector<int64_t> shape, const Floats &floats) {
    return builder.weight("w", builder.tensor(std::move(shape)),
                          storedAs(LATHE_ELEMENT_F32, floats));
  };
  const lathe_value *wa = weight({7, 20}, a), *wb = weight({9, 20}, b), *ba = weight({7}, ab),
                    *bbs = weight({9}, bb), *wu = weight({7, 20}, up);
  const auto both =
      builder.op("lathe.fused_linear",
                 {{"x", in}, {"weights", wa}, {"weights", wb}, {"biases", ba}, {"biases", bbs}},
                 {{"results", builder.rows(7)}, {"results", builder.rows(9)}});
  builder.result("a", both[0]);
  builder.result("b", both[1]);
  builder.result(
      "g", builder.op("lathe.gated_linear",
                      {{"x", in}, {"gate", wa}, {"up", wu}, {"gate_bias", ba}, {"up_bias", ba}},
                      builder.rows(7)));
  const auto results = run(builder, {x}, {21, 27, 21}, 3);
  expectNear(results[0], linear(x, a, ab, 20), 1e-5);
  expectNear(results[1], linear(x, b, bb, 20), 1e-5);
  Floats gated = linear(x, a, ab, 20);
  const Floats other = linear(x, up, ab, 20);
  for (size_t i = 0; i < gated.size(); ++i)
    gated[i] = static_cast<float>(gated[i] / (1 + std::exp(-double{gated[i]})) * other[i]);
  expectNear(results[2], gated, 1e-5);
}

// ---- Codes and scales ---------------------------------------------------------------------------

lathe_type quantized(const std::vector<int64_t> &shape, uint32_t element, int64_t block_rows,
                     int64_t block_columns, uint32_t scale_element) {
  lathe_type type = {};
  type.kind = LATHE_TYPE_QUANTIZED;
  type.element = element;
  type.shape = shape.data();
  type.rank = shape.size();
  type.row_factor = 1;
  type.block_rows = block_rows;
  type.block_columns = block_columns;
  type.scale_element = scale_element;
  return type;
}

struct Codes {
  uint32_t element;
  std::vector<uint8_t> bytes;
  std::function<float(size_t)> value; // of an index
};

std::vector<Codes> allCodes(size_t count) {
  std::vector<uint8_t> bytes(count), nibbles(count / 2);
  for (size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<uint8_t>(i * 37 % 120 + (i % 3 == 0 ? 128 : 0));
  for (size_t i = 0; i < count / 2; ++i)
    nibbles[i] = static_cast<uint8_t>(i * 89);
  return {{LATHE_ELEMENT_E4M3, bytes, [=](size_t i) { return f32FromE4m3(bytes[i]); }},
          {LATHE_ELEMENT_E5M2, bytes, [=](size_t i) { return f32FromE5m2(bytes[i]); }},
          {LATHE_ELEMENT_I8, bytes, [=](size_t i) { return float(static_cast<int8_t>(bytes[i])); }},
          {LATHE_ELEMENT_I4, nibbles, [=](size_t i) {
             const int code = nibbles[i / 2] >> (i % 2 * 4) & 15;
             return static_cast<float>(code < 8 ? code : code - 16);
           }}};
}

TEST_F(OnednnProducts, makesFloatsOfCodesAndScales) {
  const std::vector<int64_t> shape = {11, 70};
  const Floats x = numbers(2 * 70, 1);
  for (const Codes &codes : allCodes(11 * 70)) {
    SCOPED_TRACE(codes.element);
    ProgramBuilder builder;
    builder.function("f", 2);
    const Floats scales = {0.5f, 0.25f, 2, 1, 0.125f, 0.75f, 3, 1, 0.5f}; // 3 x 3 blocks of 4 x 32
    const lathe_value *w =
        builder.weight("w", builder.type(quantized(shape, codes.element, 4, 32, LATHE_ELEMENT_F32)),
                       codes.bytes, storedAs(LATHE_ELEMENT_F32, scales));
    builder.result("y", builder.op("lathe.scaled_matmul",
                                   {{"x", builder.input("x", builder.rows(70))}, {"weight", w}},
                                   builder.rows(11)));
    Floats weight;
    for (size_t i = 0; i < 11 * 70; ++i)
      weight.push_back(codes.value(i) * scales[i / 70 / 4 * 3 + i % 70 / 32]);
    for (Target target : runnable()) {
      const bool rounds = target == target_bf16;
      expectNear(
          run(builder, {x}, {22}, 2, target)[0],
          linear(rounds ? roundedToBf16(x) : x, rounds ? roundedToBf16(weight) : weight, {}, 70),
          1e-5);
    }
  }
}

TEST_F(OnednnProducts, readsScalesOfPowersOfTwoAndOfF16) {
  const std::vector<int64_t> shape = {2, 4};
  const std::vector<uint8_t> codes = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::pair<uint32_t, std::vector<uint8_t>> kinds[] = {
      {LATHE_ELEMENT_E8M0, {128, 126}}, {LATHE_ELEMENT_F16, {0x00, 0x40, 0x00, 0x38}}};
  for (const auto &[element, scales] : kinds) {
    ProgramBuilder builder;
    builder.function("f", 1);
    const lathe_value *w = builder.weight(
        "w", builder.type(quantized(shape, LATHE_ELEMENT_I8, 1, 4, element)), codes, scales);
    builder.result("y", builder.op("lathe.scaled_matmul",
                                   {{"x", builder.input("x", builder.rows(4))}, {"weight", w}},
                                   builder.rows(2)));
    EXPECT_THAT(run(builder, {{1, 1, 1, 1}}, {2}, 1)[0], testing::ElementsAre(20, 13));
  }
}

// How work is cut depends on shapes alone.
TEST_F(OnednnProducts, givesTheSameBitsEachTime) {
  ProgramBuilder builder;
  builder.function("f", 40);
  const Floats x = numbers(40 * 300, 1), w = numbers(700 * 300, 2);
  const lathe_value *weight =
      builder.weight("w", builder.tensor({700, 300}), storedAs(LATHE_ELEMENT_F32, w));
  builder.result("y", builder.op("lathe.linear",
                                 {{"x", builder.input("x", builder.rows(300))}, {"weight", weight}},
                                 builder.rows(700)));
  std::vector<Floats> seen;
  for (int threads : {1, 2, 5}) {
    runtime::PluginOptions options;
    options.threads = threads;
    plugin_ = *runtime::Plugin::load(LATHE_ONEDNN_PLUGIN, options);
    seen.push_back(run(builder, {x}, {40 * 700}, 40)[0]);
  }
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(seen[0], seen[2]);
}

} // namespace
} // namespace lathe::plugins
