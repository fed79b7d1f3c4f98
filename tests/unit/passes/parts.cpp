// Parts of a step, and the functions that are made of them.
#include "passes/partition/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include "ir/lathe/dialect.h"

namespace lathe::passes {
namespace {

using testing::HasSubstr;
using testing::Not;

class Parts : public testing::Test {
protected:
  Parts() { context_.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>(); }

  std::vector<Part> partsOf(const std::string &body) {
    module_ = mlir::parseSourceString<mlir::ModuleOp>(
        "func.func @prefill(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: "
        "tensor<?xi32>, %output_rows: tensor<?xi32>, %c: " +
            kCache + R"( {lathe.name = "layers.0.latent"}) -> (tensor<?x6xf32>, )" + kCache +
            ") attributes {lathe.max_rows = 7 : i64} {\n" + body + "}",
        &context_);
    EXPECT_TRUE(module_);
    return passes::partsOf(*module_->getOps<mlir::func::FuncOp>().begin());
  }

  // Verified.
  std::string extracted(llvm::ArrayRef<Part> parts) {
    mlir::OwningOpRef<mlir::ModuleOp> module = extract(parts);
    EXPECT_TRUE(mlir::succeeded(mlir::verify(*module)));
    std::string text;
    llvm::raw_string_ostream(text) << *module;
    return text;
  }

  inline static const std::string kCache = "!lathe.latent_cache<slots = 1, max_context = 9, "
                                           "kv_lora_rank = 4, rope_dim = 2, element = f32>";
  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
};

TEST_F(Parts, takeWhatComesFromOutsideAndGiveWhatIsTakenOutside) {
  auto parts = partsOf(R"(
    %w = lathe.weight "table" from [#lathe.tensor_ref<"e">] : tensor<5x6xf32>
    %g = lathe.weight "norm" from [#lathe.tensor_ref<"n">] : tensor<6xf32>
    %h = lathe.embedding %tokens, %w : (tensor<?xi32>, tensor<5x6xf32>) -> tensor<?x6xf32>
    %n = lathe.rms_norm %h, %g epsilon = 0.25 {lathe.part = 0 : i64, lathe.place = "npu:x"} : tensor<?x6xf32>, tensor<6xf32>
    %a = lathe.add %n, %h {lathe.part = 0 : i64, lathe.place = "npu:x", result_bytes = array<i64: -1>} : tensor<?x6xf32>
    %l = lathe.select_rows %a, %output_rows : (tensor<?x6xf32>, tensor<?xi32>) -> tensor<?x6xf32>
    return %l, %c : tensor<?x6xf32>, )" +
                       kCache);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].target, "npu:x");
  EXPECT_EQ(parts[0].name, "prefill.0");
  EXPECT_EQ(parts[0].inputs.size(), 1u); // %h, which two ops take
  EXPECT_EQ(parts[0].results.size(), 1u);
  EXPECT_EQ(parts[0].caches.size(), 0u);
  const std::string text = extracted(parts);
  EXPECT_THAT(text, HasSubstr("func.func @prefill.0(%arg0: tensor<?x6xf32> {lathe.name = "
                              "\"input0\", lathe.row_factor = 1 : i64}) -> tensor<?x6xf32> "
                              "attributes {lathe.max_rows = 7 : i64}"));
  EXPECT_THAT(text, HasSubstr("lathe.weight \"norm\""));
  EXPECT_THAT(text, Not(HasSubstr("lathe.weight \"table\"")));
  EXPECT_THAT(text, Not(HasSubstr("result_bytes")));
  EXPECT_THAT(text, Not(HasSubstr("lathe.place")));
}

TEST_F(Parts, knowOutputRowsFromRows) {
  auto parts = partsOf(R"(
    %w = lathe.weight "table" from [#lathe.tensor_ref<"e">] : tensor<5x6xf32>
    %h = lathe.embedding %tokens, %w : (tensor<?xi32>, tensor<5x6xf32>) -> tensor<?x6xf32>
    %l = lathe.select_rows %h, %output_rows : (tensor<?x6xf32>, tensor<?xi32>) -> tensor<?x6xf32>
    %s = lathe.scale %l by 2.0 {lathe.part = 0 : i64, lathe.place = "npu:x"} : tensor<?x6xf32>
    return %s, %c : tensor<?x6xf32>, )" +
                       kCache);
  EXPECT_THAT(extracted(parts), HasSubstr("lathe.output_row_factor = 1 : i64"));
}

TEST_F(Parts, seeSlicesFromOutsideAsTheyAreAndTheirOwnAsViews) {
  auto parts = partsOf(R"(
    %w = lathe.weight "table" from [#lathe.tensor_ref<"e">] : tensor<5x6xf32>
    %h = lathe.embedding %tokens, %w : (tensor<?xi32>, tensor<5x6xf32>) -> tensor<?x6xf32>
    %s = lathe.slice %h offset = 3 : tensor<?x6xf32> -> tensor<?x3xf32>
    %a = lathe.scale %s by 2.0 {lathe.part = 0 : i64, lathe.place = "npu:x"} : tensor<?x3xf32>
    %t = lathe.slice %a offset = 1 : tensor<?x3xf32> -> tensor<?x2xf32>
    %b = lathe.scale %t by 3.0 {lathe.part = 0 : i64, lathe.place = "npu:x"} : tensor<?x2xf32>
    %j = lathe.concat %a, %b, %t, %t, %t, %t : (tensor<?x3xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x13xf32>
    %k = lathe.slice %j offset = 0 : tensor<?x13xf32> -> tensor<?x6xf32>
    return %k, %c : tensor<?x6xf32>, )" +
                       kCache);
  ASSERT_EQ(parts[0].inputs.size(), 1u);
  EXPECT_TRUE(parts[0].inputs[0].getDefiningOp<ir::SliceOp>());
  EXPECT_EQ(parts[0].results.size(), 2u); // %a, of which a slice is taken outside, and %b
  EXPECT_THAT(extracted(parts), HasSubstr("lathe.slice"));
}

TEST_F(Parts, workOnCachesThatTheyGiveBack) {
  auto parts = partsOf(R"(
    %w = lathe.weight "table" from [#lathe.tensor_ref<"e">] : tensor<5x6xf32>
    %h = lathe.embedding %tokens, %w : (tensor<?xi32>, tensor<5x6xf32>) -> tensor<?x6xf32>
    %o, %c1 = lathe.mla_attention %h, %h, %slots, %positions, %c num_heads = 1 qk_nope_head_dim = 3 qk_rope_head_dim = 2 v_head_dim = 4 softmax_scale = 0.5 form = absorbed {lathe.part = 0 : i64, lathe.place = "npu:x"} : (tensor<?x6xf32>, tensor<?x6xf32>, tensor<?xi32>, tensor<?xi32>, )" +
                       kCache + ") -> (tensor<?x4xf32>, " + kCache + R"()
    %j = lathe.concat %o, %o : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
    %k = lathe.slice %j offset = 0 : tensor<?x8xf32> -> tensor<?x6xf32>
    return %k, %c1 : tensor<?x6xf32>, )" +
                       kCache);
  ASSERT_EQ(parts[0].caches.size(), 1u);
  EXPECT_EQ(parts[0].inputs.size(), 3u); // rows, slots, positions
  const std::string text = extracted(parts);
  EXPECT_THAT(text, HasSubstr("lathe.name = \"layers.0.latent\""));
  EXPECT_THAT(text, HasSubstr("lathe.name = \"slots\""));
  EXPECT_THAT(text, HasSubstr("return %result, %updated"));
}

} // namespace
} // namespace lathe::passes
