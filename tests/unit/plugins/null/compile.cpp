// Programs compiled, packed, loaded and run, against the formulas of the dialect.
#include "tests/unit/plugins/formulas.h"
#include "tests/unit/plugins/null/null_plugin.h"
#include "tests/unit/plugins/run_or_fail.h"

namespace lathe::plugins {
namespace {

using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

Floats add(const Floats &a, const Floats &b) {
  Floats result = a;
  for (size_t i = 0; i < b.size(); ++i)
    result[i] += b[i];
  return result;
}

std::string compileError(runtime::Plugin &plugin, ProgramBuilder &builder) {
  return std::string(Compiled::make(plugin, builder.program()).status().message());
}

constexpr int64_t kHidden = 37, kWide = 29, kMaxRows = 6;

// norm, product, sum: a value is used twice, a weight in two functions.
struct Block {
  explicit Block(uint32_t element, Age age = Age::same) : element(element), builder(age) {
    for (const char *name : {"decode", "prefill"})
      addFunction(name);
  }

  void addFunction(const std::string &name) {
    const bool first = name == "decode";
    builder.function(name, first ? 1 : kMaxRows);
    const lathe_value *x = builder.input("x", builder.rows(kHidden));
    const lathe_value *g = first ? weightOf("g", {kHidden}, scale) : builder.sameWeight(0);
    const lathe_value *w =
        first ? weightOf("w", {kHidden, kHidden}, weight) : builder.sameWeight(1);
    const lathe_value *b = first ? weightOf("b", {kHidden}, bias) : builder.sameWeight(2);
    const lathe_value *normed = builder.op("lathe.rms_norm", {{"input", x}, {"scale", g}},
                                           builder.rows(kHidden), {{"epsilon", 1e-3}});
    const lathe_value *y = builder.op("lathe.linear", {{"x", normed}, {"weight", w}, {"bias", b}},
                                      builder.rows(kHidden));
    const lathe_value *sum =
        builder.op("lathe.add", {{"lhs", y}, {"rhs", x}}, builder.rows(kHidden));
    const lathe_value *twice =
        builder.op("lathe.add", {{"lhs", sum}, {"rhs", normed}}, builder.rows(kHidden));
    builder.result("sum", sum);
    builder.result("twice", twice);
  }

  const lathe_value *weightOf(const char *name, std::vector<int64_t> shape, const Floats &floats) {
    return builder.weight(name, builder.tensor(std::move(shape), element),
                          storedAs(element, floats));
  }

  // What a run should give.
  std::vector<Floats> expected(const Floats &x) const {
    Floats normed = rmsNorm(x, scale, 1e-3);
    Floats sum = add(linear(normed, weight, bias, kHidden), x);
    return {sum, add(sum, normed)};
  }

  uint32_t element;
  ProgramBuilder builder;
  Floats scale = numbers(kHidden, 1), weight = numbers(kHidden * kHidden, 2),
         bias = numbers(kHidden, 3);
};

class NullCompile : public testing::Test {
protected:
  void expectBlockRuns(Block &block, const std::string &entry, int64_t rows) {
    const size_t size = rows * kHidden;
    const Floats x = numbers(size, 7 + rows);
    auto results =
        runOrFail(*plugin_, block.builder.program(), entry, {x}, {size, size}, rows, rows);
    auto expected = block.expected(x);
    EXPECT_THAT(results[0], Pointwise(FloatNear(1e-3), expected[0]));
    EXPECT_THAT(results[1], Pointwise(FloatNear(1e-3), expected[1]));
  }

  std::shared_ptr<runtime::Plugin> plugin_ = nullPlugin();
};

TEST_F(NullCompile, runsABlockForEachNumberOfRowsAndEachWeight) {
  for (uint32_t element : {LATHE_ELEMENT_F32, LATHE_ELEMENT_BF16}) {
    Block block(element);
    for (int64_t rows : {int64_t{1}, int64_t{3}, kMaxRows})
      expectBlockRuns(block, "prefill", rows);
    expectBlockRuns(block, "decode", 1);
  }
}

TEST_F(NullCompile, takesProgramsOfOlderAndNewerHosts) {
  for (Age age : {Age::older, Age::newer}) {
    Block block(LATHE_ELEMENT_BF16, age);
    expectBlockRuns(block, "prefill", 3);
  }
}

TEST_F(NullCompile, packsAWeightOnceWhateverThePieces) {
  Block block(LATHE_ELEMENT_BF16);
  auto compiled = Compiled::make(*plugin_, block.builder.program());
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  ASSERT_EQ(compiled->get().weight_count, 3u);
  const lathe_packed_weight &packed = *compiled->get().weights[1];
  EXPECT_EQ(std::string(packed.layout.data, packed.layout.size), "rows");
  ASSERT_EQ(packed.constant_count, 1u);
  EXPECT_EQ(packed.constants[0], 1u);
  const auto expected = storedAs(LATHE_ELEMENT_BF16, block.weight);
  EXPECT_EQ(packed.size, expected.size());
  for (uint64_t piece : {1, 7, 1023, 1 << 20})
    EXPECT_EQ(*compiled->pack(1, piece), expected) << piece;
}

TEST_F(NullCompile, refusesToPackWhatIsNotThere) {
  Block block(LATHE_ELEMENT_F32);
  auto compiled = Compiled::make(*plugin_, block.builder.program());
  ASSERT_TRUE(compiled.ok());
  lathe_pack_args args = {};
  args.struct_size = sizeof args;
  args.compiled = const_cast<lathe_compiled *>(&compiled->get());
  args.program = block.builder.program();
  args.weight = 3;
  lathe_error *error = compiled->get().pack(&args);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->code, uint32_t{LATHE_ERROR_INVALID_ARGUMENT});
  error->release(error);
}

// Rows of experts, rows of the output only, and rows whose number never changes.
TEST_F(NullCompile, countsEachKindOfRows) {
  ProgramBuilder builder;
  const Floats weight = numbers(kWide * kHidden, 4);
  builder.function("f", kMaxRows);
  const lathe_value *experts = builder.input("experts", builder.rows(kHidden, 4));
  const lathe_value *output = builder.input("output", builder.outputRows(kHidden));
  const lathe_value *fixed = builder.input("fixed", builder.tensor({2, kHidden}));
  const lathe_value *w =
      builder.weight("w", builder.tensor({kWide, kHidden}), storedAs(LATHE_ELEMENT_F32, weight));
  const auto product = [&](const lathe_value *x, const lathe_type *result) {
    builder.result("y", builder.op("lathe.linear", {{"x", x}, {"weight", w}}, result));
  };
  product(experts, builder.rows(kWide, 4));
  const lathe_value *twice =
      builder.op("lathe.add", {{"lhs", output}, {"rhs", output}}, builder.outputRows(kHidden));
  product(twice, builder.outputRows(kWide));
  product(fixed, builder.tensor({2, kWide}));
  for (int64_t output_rows : {0, 2, 3}) {
    const std::vector<size_t> rows = {12, static_cast<size_t>(output_rows), 2};
    std::vector<Floats> inputs;
    std::vector<size_t> sizes;
    for (size_t count : rows) {
      inputs.push_back(numbers(count * kHidden, count));
      sizes.push_back(count * kWide);
    }
    auto results = runOrFail(*plugin_, builder.program(), "f", inputs, sizes, 3, output_rows);
    inputs[1] = add(inputs[1], inputs[1]);
    for (size_t i = 0; i < 3; ++i)
      EXPECT_THAT(results[i], Pointwise(FloatNear(1e-3), linear(inputs[i], weight, {}, kHidden)));
  }
}

TEST_F(NullCompile, normsEachHeadByItself) {
  ProgramBuilder builder;
  builder.function("f", kMaxRows);
  const Floats scale = numbers(5, 9), x = numbers(3 * 15, 10);
  const lathe_value *in = builder.input("x", builder.rows(15));
  const lathe_value *g = builder.input("g", builder.tensor({5}));
  builder.result("y", builder.op("lathe.rms_norm", {{"input", in}, {"scale", g}}, builder.rows(15),
                                 {{"epsilon", 1e-6}}));
  auto results = runOrFail(*plugin_, builder.program(), "f", {x, scale}, {x.size()}, 3, 0);
  EXPECT_THAT(results[0], Pointwise(FloatNear(1e-5), rmsNorm(x, scale, 1e-6)));
}

TEST_F(NullCompile, copiesInputsWeightsAndValuesThatAreResultsTwice) {
  ProgramBuilder builder;
  builder.function("f", kMaxRows);
  const Floats x = numbers(2 * 4, 11), w = numbers(3 * 5, 12);
  const lathe_value *in = builder.input("x", builder.rows(4));
  builder.input("unused", builder.tensor({LATHE_EXTENT_ROWS}, LATHE_ELEMENT_I32));
  const lathe_value *weight =
      builder.weight("w", builder.tensor({3, 5}), storedAs(LATHE_ELEMENT_F32, w));
  const lathe_value *sum = builder.op("lathe.add", {{"lhs", in}, {"rhs", in}}, builder.rows(4));
  for (const lathe_value *value : {in, weight, sum, sum})
    builder.result("r", value);
  auto results = runOrFail(*plugin_, builder.program(), "f", {x, Floats(2)}, {8, 15, 8, 8}, 2, 0);
  EXPECT_EQ(results[0], x);
  EXPECT_EQ(results[1], w);
  EXPECT_EQ(results[2], add(x, x));
  EXPECT_EQ(results[3], add(x, x));
}

TEST_F(NullCompile, refusesWhatOnlyTogetherDoesNotWork) {
  ProgramBuilder cache;
  cache.function("f", 1);
  cache.input("cache", cache.kvCache());
  EXPECT_THAT(compileError(*plugin_, cache),
              HasSubstr("'f': 'cache': is an input that is no tensor"));

  ProgramBuilder weight;
  weight.function("f", 1);
  weight.weight("w", weight.tensor({2}, LATHE_ELEMENT_F16), {0, 0, 0, 0});
  EXPECT_THAT(compileError(*plugin_, weight),
              HasSubstr("'layers.3': is a weight of a type that null does not take"));

  ProgramBuilder result;
  result.function("f", 1);
  result.result("r", result.input("x", result.tensor({2}, LATHE_ELEMENT_I32)));
  EXPECT_THAT(compileError(*plugin_, result),
              HasSubstr("'r': is a result of a type that null does not take"));

  ProgramBuilder refused;
  refused.function("f", 1);
  const lathe_value *y = refused.input("x", refused.rows(4));
  refused.op("lathe.silu", {{"x", y}}, refused.rows(4));
  EXPECT_THAT(compileError(*plugin_, refused), HasSubstr("'layers.3': null has no lathe.silu"));

  ProgramBuilder name;
  name.function(std::string(64, 'n'), 1);
  EXPECT_THAT(compileError(*plugin_, name), HasSubstr("are more than null takes"));
}

TEST_F(NullCompile, checksEachCall) {
  Block block(LATHE_ELEMENT_F32);
  auto compiled = Compiled::make(*plugin_, block.builder.program());
  ASSERT_TRUE(compiled.ok());
  auto loaded = Loaded::make(*plugin_, *compiled);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const Floats x = numbers(kMaxRows * kHidden, 1);
  const auto error = [&](const std::vector<Floats> &inputs, size_t size, int64_t rows,
                         int64_t output_rows) {
    auto status = loaded->run("prefill", inputs, {size, size}, rows, output_rows).status();
    return std::string(status.message());
  };
  EXPECT_EQ(error({x}, x.size(), kMaxRows, kMaxRows), "");
  EXPECT_THAT(error({x}, x.size(), kMaxRows + 1, 1),
              HasSubstr("prefill takes 1, gives 2 and runs 1 to 6 rows"));
  EXPECT_THAT(error({x}, x.size(), 0, 0),
              HasSubstr("prefill takes 1, gives 2 and runs 1 to 6 rows"));
  EXPECT_THAT(error({x}, x.size(), 2, 3), HasSubstr("2 rows, 3 of output"));
  EXPECT_THAT(error({x}, x.size() - 1, kMaxRows, 1),
              HasSubstr("binding 1 does not hold 888 bytes"));
  EXPECT_THAT(error({Floats(1)}, x.size(), 2, 1), HasSubstr("binding 0 does not hold 296 bytes"));
  EXPECT_THAT(error({x, x}, x.size(), 2, 1),
              HasSubstr("7 bindings, 2 rows, 1 of output; prefill takes 1"));
  EXPECT_THAT(std::string(loaded->executable().entry("encode").status().message()),
              HasSubstr("no entry encode; it has decode prefill"));
}

} // namespace
} // namespace lathe::plugins
