// Programs as wholes: values that are results twice, weights that are shared, pieces of weights,
// what is said to people, and what only together does not work.
#include "tests/unit/plugins/onednn/onednn_plugin.h"

namespace lathe::plugins {
namespace {

using testing::HasSubstr;

class OnednnCompile : public OnednnTest {
protected:
  std::string error(ProgramBuilder &builder) {
    return std::string(Compiled::make(*plugin_, builder.program()).status().message());
  }
};

// norm, product, sum: a value is used twice, a weight in two functions.
struct Block {
  explicit Block(Age age = Age::same) : builder(age) {
    for (const char *name : {"f", "g"}) {
      const bool first = *name == 'f';
      builder.function(name, 6);
      const lathe_value *x = builder.input("x", builder.rows(37));
      const lathe_value *g = first ? weightOf({37}, scale) : builder.sameWeight(0);
      const lathe_value *w = first ? weightOf({37, 37}, weight) : builder.sameWeight(1);
      const lathe_value *normed = builder.op("lathe.rms_norm", {{"input", x}, {"scale", g}},
                                             builder.rows(37), {{"epsilon", 1e-3}});
      const lathe_value *y =
          builder.op("lathe.linear", {{"x", normed}, {"weight", w}}, builder.rows(37));
      builder.result("y", builder.op("lathe.add", {{"lhs", y}, {"rhs", x}}, builder.rows(37)));
    }
  }

  const lathe_value *weightOf(std::vector<int64_t> shape, const Floats &floats) {
    return builder.weight("w\"", builder.tensor(std::move(shape), LATHE_ELEMENT_F16),
                          storedAs(LATHE_ELEMENT_F16, floats));
  }

  ProgramBuilder builder;
  Floats scale = numbers(37, 1), weight = numbers(37 * 37, 2);
};

TEST_F(OnednnCompile, takesProgramsOfOlderAndNewerHosts) {
  Block plain;
  const Floats x = numbers(3 * 37, 7);
  const Floats expected = run(plain.builder, {x}, {x.size()}, 3)[0];
  for (Age age : {Age::older, Age::newer}) {
    Block block(age);
    EXPECT_EQ(run(block.builder, {x}, {x.size()}, 3)[0], expected);
  }
}

TEST_F(OnednnCompile, packsAWeightOnceWhateverThePieces) {
  Block block;
  for (Target target : {target_f32, target_bf16}) {
    auto compiled = Compiled::make(*plugin_, block.builder.program(), target);
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    ASSERT_EQ(compiled->get().weight_count, 2u);
    const auto whole = compiled->pack(1, 1 << 20);
    ASSERT_TRUE(whole.ok()) << whole.status();
    const Floats stored = target == target_f32 ? block.weight : roundedToBf16(block.weight);
    EXPECT_EQ(*whole,
              storedAs(target == target_f32 ? LATHE_ELEMENT_F32 : LATHE_ELEMENT_BF16, stored));
    for (uint64_t piece : {1, 7, 148, 1000})
      EXPECT_EQ(*compiled->pack(1, piece), *whole) << piece;
  }
}

// Against the tables of the runtime.
TEST_F(OnednnCompile, readsEachCodeOfEachSmallFloat) {
  struct Format {
    uint32_t element;
    float (*value)(uint16_t code);
  };
  const Format formats[] = {
      {LATHE_ELEMENT_F16, f32FromF16},
      {LATHE_ELEMENT_BF16, f32FromBf16},
      {LATHE_ELEMENT_E4M3, [](uint16_t code) { return f32FromE4m3(static_cast<uint8_t>(code)); }},
      {LATHE_ELEMENT_E5M2, [](uint16_t code) { return f32FromE5m2(static_cast<uint8_t>(code)); }}};
  for (const Format &format : formats) {
    const bool is_half =
        format.element == LATHE_ELEMENT_F16 || format.element == LATHE_ELEMENT_BF16;
    const int64_t count = is_half ? 65536 : 256;
    std::vector<uint16_t> halves(count);
    std::vector<uint8_t> bytes(count);
    for (int64_t i = 0; i < count; ++i) {
      halves[i] = static_cast<uint16_t>(i);
      bytes[i] = static_cast<uint8_t>(i);
    }
    const std::vector<int64_t> shape = {1, count};
    lathe_type type = {};
    type.kind = is_half ? LATHE_TYPE_TENSOR : LATHE_TYPE_QUANTIZED;
    type.element = format.element;
    type.shape = shape.data();
    type.rank = 2;
    type.row_factor = type.block_rows = 1;
    type.block_columns = count;
    type.scale_element = LATHE_ELEMENT_F32;
    ProgramBuilder builder;
    builder.function("f", 1);
    const lathe_value *w =
        builder.weight("w", builder.type(type), is_half ? bytesOf(halves.data(), 2 * count) : bytes,
                       storedAs(LATHE_ELEMENT_F32, {1}));
    builder.result("y", builder.op("lathe.linear",
                                   {{"x", builder.input("x", builder.rows(count))}, {"weight", w}},
                                   builder.rows(1)));
    auto compiled = Compiled::make(*plugin_, builder.program());
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    const auto packed = compiled->pack(0, 1 << 20);
    for (int64_t i = 0; i < count; ++i) {
      float mine;
      std::memcpy(&mine, packed->data() + 4 * i, 4);
      const float expected = format.value(static_cast<uint16_t>(i));
      if (std::isnan(expected))
        ASSERT_TRUE(std::isnan(mine)) << format.element << ": " << i;
      else
        ASSERT_EQ(bitsOfF32(mine), bitsOfF32(expected)) << format.element << ": " << i;
    }
  }
}

TEST_F(OnednnCompile, saysWhatItConverted) {
  Block block;
  auto f32 = Compiled::make(*plugin_, block.builder.program());
  EXPECT_EQ(
      runtime::fromAbi(f32->get().details),
      R"({"products":"f32","weights":[{"weight":"w\"","from":"f16","to":"f32","rounded":false},)"
      R"({"weight":"w\"","from":"f16","to":"f32","rounded":false}]})");
  auto bf16 = Compiled::make(*plugin_, block.builder.program(), target_bf16);
  EXPECT_THAT(std::string(runtime::fromAbi(bf16->get().details)),
              HasSubstr(R"("from":"f16","to":"bf16","rounded":true)"));
}

TEST_F(OnednnCompile, refusesPiecesBeyondAWeight) {
  Block block;
  auto compiled = Compiled::make(*plugin_, block.builder.program());
  uint8_t bytes[8];
  lathe_pack_args args = {};
  args.struct_size = sizeof args;
  args.compiled = const_cast<lathe_compiled *>(&compiled->get());
  args.program = block.builder.program();
  args.destination = bytes;
  args.size = 8;
  const std::pair<uint32_t, uint64_t> wrong[] = {{0, 37 * 4 - 4}, {2, 0}, {0, ~uint64_t{3}}};
  for (auto [weight, offset] : wrong) {
    args.weight = weight;
    args.offset = offset;
    lathe_error *error = compiled->get().pack(&args);
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->code, uint32_t{LATHE_ERROR_INVALID_ARGUMENT});
    error->release(error);
  }
}

TEST_F(OnednnCompile, copiesInputsWeightsAndValuesThatAreResultsTwice) {
  ProgramBuilder builder;
  builder.function("f", 2);
  const Floats x = numbers(2 * 4, 11), w = numbers(3 * 5, 12);
  const lathe_value *in = builder.input("x", builder.rows(4));
  builder.input("unused", builder.tensor({LATHE_EXTENT_ROWS}, LATHE_ELEMENT_I32));
  const lathe_value *weight =
      builder.weight("w", builder.tensor({3, 5}), storedAs(LATHE_ELEMENT_F32, w));
  const lathe_value *sum = builder.op("lathe.add", {{"lhs", in}, {"rhs", in}}, builder.rows(4));
  for (const lathe_value *value : {in, weight, sum, sum})
    builder.result("r", value);
  auto results = run(builder, {x, Floats(2)}, {8, 15, 8, 8}, 2);
  EXPECT_EQ(results[0], x);
  EXPECT_EQ(results[1], w);
  EXPECT_EQ(results[2], results[3]);
  EXPECT_EQ(results[2][3], 2 * x[3]);
}

// Scratch memory of values that nobody takes any more is used again.
TEST_F(OnednnCompile, needsNoMoreScratchForALongerChain) {
  std::vector<uint64_t> sizes;
  for (int length : {4, 40}) {
    ProgramBuilder builder;
    builder.function("f", 2);
    const Floats x = numbers(2 * 64, 1);
    const lathe_value *value = builder.input("x", builder.rows(64));
    for (int i = 0; i < length; ++i)
      value = builder.op("lathe.scale", {{"input", value}}, builder.rows(64), {{"factor", -1.0}});
    builder.result("y", value);
    auto compiled = Compiled::make(*plugin_, builder.program());
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    sizes.push_back(compiled->get().entries[0]->scratch_bytes);
    EXPECT_EQ(run(builder, {x}, {x.size()}, 2)[0], x);
  }
  EXPECT_EQ(sizes[0], sizes[1]);
}

TEST_F(OnednnCompile, keepsASliceOfWhatIsNotTakenOtherwise) {
  ProgramBuilder builder;
  builder.function("f", 1);
  const lathe_value *x = builder.input("x", builder.rows(4));
  const lathe_value *sum = builder.op("lathe.add", {{"lhs", x}, {"rhs", x}}, builder.rows(4));
  const lathe_value *left =
      builder.op("lathe.slice", {{"input", sum}}, builder.rows(2), {{"offset", 0, 0}});
  const lathe_value *other =
      builder.op("lathe.scale", {{"input", x}}, builder.rows(4), {{"factor", 100.0}});
  const lathe_value *others =
      builder.op("lathe.slice", {{"input", other}}, builder.rows(2), {{"offset", 0, 2}});
  builder.result("y", builder.op("lathe.add", {{"lhs", left}, {"rhs", others}}, builder.rows(2)));
  EXPECT_THAT(run(builder, {{1, 2, 3, 4}}, {2}, 1)[0], testing::ElementsAre(302, 404));
}

TEST_F(OnednnCompile, refusesWhatOnlyTogetherDoesNotWork) {
  ProgramBuilder half;
  half.function("f", 1);
  const lathe_value *x = half.input("x", half.tensor({LATHE_EXTENT_ROWS, 4}, LATHE_ELEMENT_BF16));
  half.op("lathe.cast", {{"input", x}}, half.rows(4));
  EXPECT_THAT(error(half), HasSubstr("takes a value that is not rows of f32"));

  ProgramBuilder result;
  result.function("f", 1);
  result.result("r", result.weight("w", result.tensor({2}, LATHE_ELEMENT_F16), {0, 0, 0, 0}));
  EXPECT_THAT(error(result), HasSubstr("'r': is a result that is no f32 tensor"));

  ProgramBuilder refused;
  refused.function("f", 1);
  const lathe_value *y = refused.input("x", refused.rows(4));
  refused.op("lathe.silu", {{"x", y}}, refused.rows(4));
  EXPECT_THAT(error(refused), HasSubstr("'layers.3': onednn has no lathe.silu"));

  ProgramBuilder name;
  name.function(std::string(64, 'n'), 1);
  EXPECT_THAT(error(name), HasSubstr("are more than onednn takes"));
}

TEST_F(OnednnCompile, stopsWhenAsked) {
  Block block;
  lathe_compile_args args = {};
  args.struct_size = sizeof args;
  args.target = plugin_->targets()[0].handle;
  args.program = block.builder.program();
  args.progress = [](void *, double done) { return done > 0.7 ? 1 : 0; };
  lathe_error *error = plugin_->compiler()->compile(&args);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->code, uint32_t{LATHE_ERROR_UNAVAILABLE});
  error->release(error);
  EXPECT_EQ(args.compiled, nullptr);
}

TEST_F(OnednnCompile, checksEachCall) {
  Block block;
  auto compiled = Compiled::make(*plugin_, block.builder.program());
  auto loaded = Loaded::make(*plugin_, *compiled);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const Floats x = numbers(6 * 37, 1);
  const auto error = [&](const std::vector<Floats> &inputs, int64_t rows, int64_t output_rows) {
    return std::string(loaded->run("f", inputs, {x.size()}, rows, output_rows).status().message());
  };
  EXPECT_EQ(error({x}, 6, 6), "");
  EXPECT_THAT(error({x}, 7, 1), HasSubstr("f takes 1 to 6"));
  EXPECT_THAT(error({x}, 0, 0), HasSubstr("f takes 1 to 6"));
  EXPECT_THAT(error({x}, 2, 3), HasSubstr("2 rows, 3 of output"));
  EXPECT_THAT(error({Floats(1)}, 2, 1), HasSubstr("binding 0 does not hold 296 bytes"));
  EXPECT_THAT(error({x, x}, 2, 1), HasSubstr("6 bindings; f takes 1 and gives 1"));
  EXPECT_THAT(std::string(loaded->executable().entry("encode").status().message()),
              HasSubstr("no entry 'encode'; it has 'f' 'g'"));
}

} // namespace
} // namespace lathe::plugins
