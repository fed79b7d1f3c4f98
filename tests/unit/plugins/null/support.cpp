// What the null plugin takes of a model, and what it says of the rest.
#include "tests/unit/plugins/asked.h"
#include "tests/unit/plugins/null/null_plugin.h"

namespace lathe::plugins {
namespace {

using testing::HasSubstr;

class NullSupport : public AskedTest {
protected:
  NullSupport() : AskedTest(nullPlugin()) {}
};

TEST_F(NullSupport, takesLinearWithWeightsOfEachFloat) {
  for (uint32_t element : {LATHE_ELEMENT_F32, LATHE_ELEMENT_BF16}) {
    linear({{"x", rows(8)}, {"weight", matrix(3, 8, element)}, {"bias", vector(3, element)}},
           builder_.rows(3));
    EXPECT_EQ(ask().verdict, LATHE_SUPPORT_YES);
    EXPECT_EQ(ask().reason, LATHE_REASON_NONE);
    EXPECT_EQ(ask().text, "");
  }
}

TEST_F(NullSupport, takesNormsOfRowsAndOfHeads) {
  for (int64_t length : {16, 4}) {
    builder_.op("lathe.rms_norm", {{"input", rows(16)}, {"scale", vector(length)}},
                builder_.rows(16), {{"epsilon", 1e-3}});
    EXPECT_EQ(ask().verdict, LATHE_SUPPORT_YES);
  }
}

TEST_F(NullSupport, takesAdd) {
  builder_.op("lathe.add", {{"lhs", rows(8)}, {"rhs", rows(8)}}, builder_.rows(8));
  EXPECT_EQ(ask().verdict, LATHE_SUPPORT_YES);
}

TEST_F(NullSupport, tellsMoreSecondsForMoreWork) {
  linear({{"x", rows(512)}, {"weight", matrix(512, 512)}}, builder_.rows(512));
  const double one = ask(0, 1).seconds, many = ask(0, 64).seconds;
  EXPECT_GT(one, 1e-5); // a megabyte
  EXPECT_LT(one, 1e-2);
  EXPECT_GT(many, 8 * one);
}

TEST_F(NullSupport, refusesOtherOpsAndNewerVersions) {
  builder_.op("lathe.swiglu", {{"gate", rows(8)}, {"up", rows(8)}}, builder_.rows(8));
  expectNo(LATHE_REASON_UNSUPPORTED_OP, "null has no lathe.swiglu");
  builder_.op("lathe.add", {{"lhs", rows(8)}, {"rhs", rows(8)}}, builder_.rows(8), {}, 7);
  expectNo(LATHE_REASON_UNSUPPORTED_OP, "lathe.add is of version 7; null knows 1");
}

TEST_F(NullSupport, refusesTypesAndSaysWhich) {
  const auto weight_is = [&](const lathe_value *weight) {
    linear({{"x", rows(8)}, {"weight", weight}}, builder_.rows(3));
    expectNo(LATHE_REASON_UNSUPPORTED_TYPE, "weight is no vector or matrix of f32 or bf16");
  };
  weight_is(builder_.input("w", builder_.quantized({3, 8})));
  weight_is(builder_.input("w", builder_.tensor({2, 2, 2})));
  weight_is(matrix(3, 8, LATHE_ELEMENT_I8));
  weight_is(matrix(3, 8, LATHE_ELEMENT_F16));
  linear({{"x", matrix(1, 8, LATHE_ELEMENT_BF16)}, {"weight", matrix(3, 8)}}, builder_.rows(3));
  expectNo(LATHE_REASON_UNSUPPORTED_TYPE, "x is no vector or matrix of f32");
  linear({{"x", builder_.input("c", builder_.kvCache())}, {"weight", matrix(3, 8)}},
         builder_.rows(3));
  expectNo(LATHE_REASON_UNSUPPORTED_TYPE, "x is no vector or matrix of f32");
}

TEST_F(NullSupport, refusesShapesThatItsCodeCannotHold) {
  linear({{"x", rows(8)}, {"weight", matrix((1 << 20) + 1, 8)}}, builder_.rows((1 << 20) + 1));
  expectNo(LATHE_REASON_SHAPE_LIMIT, "result has an extent that is not in 1 to 1048576");
  builder_.op("lathe.rms_norm", {{"input", rows(16)}, {"scale", vector(0)}}, builder_.rows(16));
  expectNo(LATHE_REASON_SHAPE_LIMIT, "scale has an extent that is not in 1 to 1048576");
  linear({{"x", builder_.input("x", builder_.tensor({-3, 8}))}, {"weight", matrix(3, 8)}},
         builder_.rows(3));
  expectNo(LATHE_REASON_SHAPE_LIMIT, "x has an extent that is not in 1 to 1048576");
}

TEST_F(NullSupport, refusesOperandsThatDoNotFit) {
  const auto expect = [&] {
    expectNo(LATHE_REASON_UNSUPPORTED_OP, "its operands do not fit each other");
  };
  linear({{"x", rows(8)}}, builder_.rows(3));
  expect();
  linear({{"x", rows(8)}, {"weight", matrix(3, 9)}}, builder_.rows(3));
  expect();
  linear({{"x", rows(8)}, {"weight", matrix(3, 8)}, {"bias", vector(4)}}, builder_.rows(3));
  expect();
  builder_.op("lathe.rms_norm", {{"input", rows(16)}, {"scale", vector(5)}}, builder_.rows(16),
              {{"epsilon", 1e-3}});
  expect();
  builder_.op("lathe.rms_norm", {{"input", rows(16)}, {"scale", vector(4)}}, builder_.rows(16));
  expect(); // without an epsilon
}

TEST_F(NullSupport, writesAsMuchOfTheTextAsThereIsRoomFor) {
  builder_.op("lathe.swiglu", {{"gate", rows(8)}, {"up", rows(8)}}, builder_.rows(8));
  char text[8] = "#######";
  lathe_support_args args = {};
  args.struct_size = sizeof args;
  args.target = plugin_->targets()[0].handle;
  args.op = builder_.lastOp();
  for (size_t capacity : {0, 4}) {
    args.text = {capacity ? text : nullptr, capacity, 0};
    EXPECT_EQ(plugin_->compiler()->supports(&args), nullptr);
    EXPECT_EQ(args.text.size, strlen("null has no lathe.swiglu"));
  }
  EXPECT_STREQ(text, "null###");
}

} // namespace
} // namespace lathe::plugins
