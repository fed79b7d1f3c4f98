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
  for (uint32_t element : {LATHE_ELEMENT_F32, LATHE_ELEMENT_F16, LATHE_ELEMENT_BF16}) {
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

TEST_F(NullSupport, takesAddAndWeights) {
  builder_.op("lathe.add", {{"lhs", rows(8)}, {"rhs", rows(8)}}, builder_.rows(8));
  EXPECT_EQ(ask().verdict, LATHE_SUPPORT_YES);
  builder_.weight("w", builder_.tensor({2, 2}, LATHE_ELEMENT_BF16), std::vector<uint8_t>(8));
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
  linear({{"x", rows(8)}, {"weight", builder_.input("w", builder_.quantized({3, 8}))}},
         builder_.rows(3));
  expectNo(LATHE_REASON_UNSUPPORTED_TYPE, "weight is quantised; null takes tensors of floats");
  linear({{"x", rows(8)}, {"weight", matrix(3, 8, LATHE_ELEMENT_I8)}}, builder_.rows(3));
  expectNo(LATHE_REASON_UNSUPPORTED_TYPE, "weight is i8; null takes f32, f16 and bf16");
  linear({{"x", matrix(1, 8, LATHE_ELEMENT_BF16)}, {"weight", matrix(3, 8)}}, builder_.rows(3));
  expectNo(LATHE_REASON_UNSUPPORTED_TYPE, "x is bf16; null takes f32");
  linear({{"x", builder_.input("c", builder_.kvCache())}, {"weight", matrix(3, 8)}},
         builder_.rows(3));
  expectNo(LATHE_REASON_UNSUPPORTED_TYPE, "x is a cache; null takes tensors of floats");
  builder_.weight("w", builder_.tensor({2}, LATHE_ELEMENT_I32), std::vector<uint8_t>(8));
  expectNo(LATHE_REASON_UNSUPPORTED_TYPE, "result is i32; null takes f32, f16 and bf16");
}

TEST_F(NullSupport, refusesShapesThatItsCodeCannotHold) {
  linear({{"x", rows(8)}, {"weight", matrix((1 << 20) + 1, 8)}}, builder_.rows((1 << 20) + 1));
  expectNo(LATHE_REASON_SHAPE_LIMIT, "result has an extent that is not in 1 to 1048576");
  builder_.op("lathe.rms_norm", {{"input", rows(16)}, {"scale", vector(0)}}, builder_.rows(16));
  expectNo(LATHE_REASON_SHAPE_LIMIT, "scale has an extent that is not in 1 to 1048576");
  builder_.weight("w", builder_.tensor({2, 2, 2}), std::vector<uint8_t>(32));
  expectNo(LATHE_REASON_SHAPE_LIMIT, "result has 3 dimensions; null takes 1 or 2");
}

TEST_F(NullSupport, doesNotConvertConstants) {
  ProgramBuilder builder;
  builder.function("f", 1);
  builder.weight("w", builder.tensor({4}, LATHE_ELEMENT_F16), std::vector<uint8_t>(8));
  lathe_op op = *builder.lastOp();
  lathe_constant constant = *op.constant;
  constant.type = builder.tensor({4});
  op.constant = &constant;
  EXPECT_THAT(supports(*plugin_, &op).status().message(),
              HasSubstr("has another type than its constant"));
  op.constant = nullptr;
  EXPECT_FALSE(supports(*plugin_, &op).ok());
}

TEST_F(NullSupport, callsQuestionsWithoutSenseErrors) {
  linear({{"x", rows(8)}}, builder_.rows(3));
  EXPECT_THAT(error(), HasSubstr("lathe.linear at 'layers.3' lacks an operand"));
  linear({{"x", rows(8)}, {"weight", matrix(3, 9)}}, builder_.rows(3));
  EXPECT_THAT(error(), HasSubstr("lathe.linear at 'layers.3' breaks the rules"));
  linear({{"x", rows(8)}, {"weight", matrix(3, 8)}, {"bias", vector(4)}}, builder_.rows(3));
  EXPECT_THAT(error(), HasSubstr("breaks the rules"));
  builder_.op("lathe.rms_norm", {{"input", rows(16)}, {"scale", vector(5)}}, builder_.rows(16),
              {{"epsilon", 1e-3}});
  EXPECT_THAT(error(), HasSubstr("breaks the rules"));
  builder_.op("lathe.rms_norm", {{"input", rows(16)}, {"scale", vector(4)}}, builder_.rows(16));
  EXPECT_THAT(error(), HasSubstr("breaks the rules of its operands' shapes or of epsilon"));
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
