// What the plugin takes of a model, what it says it rounds, and what it says of the rest.
#include "tests/unit/plugins/asked.h"
#include "tests/unit/plugins/onednn/onednn_plugin.h"

namespace lathe::plugins {
namespace {

using testing::HasSubstr;

class OnednnSupport : public AskedTest {
protected:
  OnednnSupport() : AskedTest(onednnPlugin()) {}
};

TEST_F(OnednnSupport, hasTwoTargets) {
  ASSERT_EQ(plugin_->targets().size(), 2u);
  EXPECT_EQ(plugin_->targets()[target_f32].name, "f32");
  EXPECT_EQ(plugin_->targets()[target_bf16].name, "bf16");
}

TEST_F(OnednnSupport, takesProductsOfEachWeightAsTheyAreInF32) {
  for (uint32_t element : {LATHE_ELEMENT_F32, LATHE_ELEMENT_F16, LATHE_ELEMENT_BF16}) {
    linear({{"x", rows(8)}, {"weight", matrix(3, 8, element)}}, builder_.rows(3));
    EXPECT_EQ(ask().verdict, LATHE_SUPPORT_YES);
    EXPECT_EQ(ask().text, "");
  }
  linear({{"x", rows(8)}, {"weight", builder_.input("w", builder_.quantized({3, 8}))}},
         builder_.rows(3));
  EXPECT_EQ(ask().verdict, LATHE_SUPPORT_YES);
}

TEST_F(OnednnSupport, saysWhatProductsOfBf16Round) {
  linear({{"x", rows(8)}, {"weight", matrix(3, 8)}}, builder_.rows(3));
  EXPECT_EQ(ask(target_bf16).verdict, LATHE_SUPPORT_CONVERTED);
  EXPECT_EQ(ask(target_bf16).text, "x and the weight are rounded to bf16");
  EXPECT_EQ(ask(target_bf16).converted_to, uint32_t{LATHE_ELEMENT_BF16});
  linear({{"x", rows(8)}, {"weight", matrix(3, 8, LATHE_ELEMENT_BF16)}}, builder_.rows(3));
  EXPECT_EQ(ask(target_bf16).text, "x is rounded to bf16");
  linear({{"x", matrix(4, 8, LATHE_ELEMENT_BF16)}, {"weight", matrix(3, 8, LATHE_ELEMENT_BF16)}},
         builder_.tensor({4, 3}));
  EXPECT_EQ(ask(target_bf16).verdict, LATHE_SUPPORT_YES);
  EXPECT_EQ(ask(target_bf16).converted_to, uint32_t{LATHE_ELEMENT_NONE});
}

TEST_F(OnednnSupport, tellsMoreSecondsForMoreWorkAndFewerForBf16) {
  linear({{"x", rows(512)}, {"weight", matrix(512, 512)}}, builder_.rows(512));
  const double one = ask(target_f32, 1).seconds, many = ask(target_f32, 512).seconds;
  EXPECT_GT(one, 1e-5); // a megabyte
  EXPECT_LT(one, 1e-2);
  EXPECT_GT(many, 8 * one);
  EXPECT_LT(ask(target_bf16, 512).seconds, many / 2);
}

TEST_F(OnednnSupport, refusesOtherOpsAndNewerVersions) {
  builder_.op("lathe.fused_experts", {{"input", rows(8)}}, builder_.rows(8));
  expectNo(
      LATHE_REASON_UNSUPPORTED_OP,
      "onednn has no lathe.fused_experts; it takes products, attention, norms, sums and gates");
  builder_.op("lathe.add", {{"lhs", rows(8)}, {"rhs", rows(8)}}, builder_.rows(8), {}, 7);
  expectNo(LATHE_REASON_UNSUPPORTED_OP, "lathe.add is of version 7; onednn knows 1");
}

TEST_F(OnednnSupport, refusesTypesAndSaysWhich) {
  linear({{"x", rows(8)}, {"weight", matrix(3, 8, LATHE_ELEMENT_I32)}}, builder_.rows(3));
  expectNo(LATHE_REASON_UNSUPPORTED_TYPE,
           "weight is i32; onednn takes floats, and codes of e4m3, e5m2, i8 and i4");
  linear({{"x", builder_.input("x", builder_.quantized({3, 8}))}, {"weight", matrix(3, 8)}},
         builder_.rows(3));
  expectNo(LATHE_REASON_UNSUPPORTED_TYPE,
           "x is codes of dynamic activations; onednn takes floats: compile with --activations f32 "
           "or bf16");
  builder_.op("lathe.add", {{"lhs", builder_.input("c", builder_.kvCache())}, {"rhs", rows(8)}},
              builder_.rows(8));
  expectNo(LATHE_REASON_UNSUPPORTED_TYPE, "lhs is a cache; onednn takes rows of floats");
}

TEST_F(OnednnSupport, refusesShapesThatItsCodeCannotHold) {
  linear({{"x", rows(8)}, {"weight", matrix((1 << 20) + 1, 8)}}, builder_.rows((1 << 20) + 1));
  expectNo(LATHE_REASON_SHAPE_LIMIT, "result has an extent that is not in 1 to 1048576");
  builder_.weight("w", builder_.tensor({2, 2, 2}), std::vector<uint8_t>(32));
  expectNo(LATHE_REASON_SHAPE_LIMIT, "result has 3 dimensions; onednn takes 1 or 2");
}

TEST_F(OnednnSupport, callsQuestionsWithoutSenseErrors) {
  linear({{"x", rows(8)}}, builder_.rows(3));
  EXPECT_THAT(error(), HasSubstr("lathe.linear at 'layers.3' lacks an operand"));
  linear({{"x", rows(8)}, {"weight", matrix(3, 9)}}, builder_.rows(3));
  EXPECT_THAT(error(), HasSubstr("lathe.linear at 'layers.3' breaks the rules"));
  builder_.op("lathe.rms_norm", {{"input", rows(16)}, {"scale", matrix(1, 5)}}, builder_.rows(16),
              {{"epsilon", 1e-3}});
  EXPECT_THAT(error(), HasSubstr("breaks the rules"));
  builder_.op("lathe.slice", {{"input", rows(16)}}, builder_.rows(10), {{"offset", 0, 7}});
  EXPECT_THAT(error(), HasSubstr("breaks the rules"));
  builder_.op("lathe.fused_linear", {{"x", rows(8)}, {"weights", matrix(3, 8)}},
              {{"results", builder_.rows(3)}, {"results", builder_.rows(3)}});
  EXPECT_THAT(error(), HasSubstr("has not a result and a bias for each weight"));
  builder_.weight("w", builder_.tensor({2}), std::vector<uint8_t>(8));
  lathe_op op = *builder_.lastOp();
  op.constant = nullptr;
  EXPECT_FALSE(supports(*plugin_, &op).ok());
}

} // namespace
} // namespace lathe::plugins
