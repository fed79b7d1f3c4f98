// How the choice of a prefill chunk answers to what it depends on.
#include "passes/cost/prefill.h"

#include <gmock/gmock.h>

#include "cost_attribute.h"
#include "ir/lathe/dialect.h"
#include "mlir/Parser/Parser.h"

namespace lathe::passes::cost {
namespace {

// One product of 1024 x 1024 and one expert layer of 16 experts, of which a token takes 2.
constexpr llvm::StringLiteral kStep = R"(
func.func @step(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %output_rows: tensor<?xi32>) -> tensor<?x1024xf32> {
  %e = lathe.weight "e" from [#lathe.tensor_ref<"e">] : tensor<64x1024xf32>
  %h = lathe.embedding %tokens, %e : (tensor<?xi32>, tensor<64x1024xf32>) -> tensor<?x1024xf32>
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<1024x1024xf32>
  %k = lathe.linear %h, %w : (tensor<?x1024xf32>, tensor<1024x1024xf32>) -> tensor<?x1024xf32>
  %r = lathe.weight "r" from [#lathe.tensor_ref<"r">] : tensor<16x1024xf32>
  %l = lathe.linear %k, %r : (tensor<?x1024xf32>, tensor<16x1024xf32>) -> tensor<?x16xf32>
  %i, %p = lathe.moe_route %l routing = <score = softmax, top_k = 2> : (tensor<?x16xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %k, %i : (tensor<?x1024xf32>, tensor<?x2xi32>) -> (tensor<?x1024xf32>, tensor<?xi32>, tensor<17xi32>)
  %g = lathe.weight "g" from [#lathe.tensor_ref<"g">] : tensor<16x2048x1024xf32>
  %d = lathe.weight "d" from [#lathe.tensor_ref<"d">] : tensor<16x1024x2048xf32>
  %f = lathe.expert_ffn %rows, %offsets, %g, %g, %d activations = f32 : (tensor<?x1024xf32>, tensor<17xi32>, tensor<16x2048x1024xf32>, tensor<16x2048x1024xf32>, tensor<16x1024x2048xf32>) -> tensor<?x1024xf32>
  %m = lathe.moe_combine %f, %order, %p : (tensor<?x1024xf32>, tensor<?xi32>, tensor<?x2xf32>) -> tensor<?x1024xf32>
  %last = lathe.select_rows %m, %output_rows : (tensor<?x1024xf32>, tensor<?xi32>) -> tensor<?x1024xf32>
  %v = lathe.linear %last, %w : (tensor<?x1024xf32>, tensor<1024x1024xf32>) -> tensor<?x1024xf32>
  return %v : tensor<?x1024xf32>
})";
constexpr double kProduct = 1024.0 * 1024, kRouter = 16 * 1024, kExpert = 3.0 * 2048 * 1024;

class PrefillCost : public testing::Test {
protected:
  PrefillCost() {
    context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(kStep, &context);
    prefill.emplace(module->lookupSymbol<mlir::func::FuncOp>("step"), "f32");
  }
  int64_t chosen(llvm::ArrayRef<Table> tables, int64_t most, int64_t tokens) {
    const auto choices = chunkChoices(*prefill, tables, most, tokens);
    return choices[bestChunk(choices)].rows;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::optional<Prefill> prefill;
  CostAttribute costs;
};

TEST_F(PrefillCost, isArithmetic_WhereMemoryIsFast) {
  const double flops = 2 * (kProduct + kRouter + 2 * kExpert); // of a token; logits are wanted once
  for (int64_t chunk : {64, 100, 512})
    EXPECT_NEAR(prefill->seconds(costs.evenTable(1e9, 1e18), chunk, 512), 512 * flops / 1e9,
                1e-6 * 512 * flops / 1e9);
}

TEST_F(PrefillCost, isReadingAllWeightsForEachStep_WhereMemoryIsSlow) {
  const double bytes = 4 * (kProduct + kRouter + 16 * kExpert), one_byte_a_second = 1;
  const Table slow = costs.evenTable(1e30, one_byte_a_second);
  const double rows = prefill->seconds(slow, 512, 512) - bytes; // activations, which move, too
  EXPECT_NEAR(prefill->seconds(slow, 128, 512), 4 * bytes + rows, 1e-6 * bytes);
}

TEST_F(PrefillCost, choosesTheSmallestOfEqualChunks) {
  EXPECT_EQ(chosen({costs.evenTable(1e9, 1e18)}, 4096, 2048), 64);
}

TEST_F(PrefillCost, choosesManyRows_WhereReadingWeightsIsWhatCosts) {
  const Table slow = costs.evenTable(1e12, 1e10);
  EXPECT_EQ(chosen({slow}, 4096, 2048), 1024);
  EXPECT_EQ(chosen({slow}, 300, 300), 300) << "no more than the context holds";
}

TEST_F(PrefillCost, neverLetsTheArenaOutgrowItsRoom) {
  const auto choices = chunkChoices(*prefill, {costs.evenTable(1e15, 1e6)}, 4096, 2048);
  const ChunkChoice &best = choices[bestChunk(choices)];
  EXPECT_LE(best.arena_bytes, arenaRoom(*prefill));
  EXPECT_FALSE(choices.back().fits) << "the case should have a chunk that is too large";
}

TEST_F(PrefillCost, isOneChoiceForTargetsThatDisagree) {
  const Table flat = costs.evenTable(1e9, 1e18), slow = costs.evenTable(1e12, 1e10);
  EXPECT_EQ(chosen({flat, slow}, 4096, 2048), chosen({slow}, 4096, 2048))
      << "who does not care follows who does";
}

} // namespace
} // namespace lathe::passes::cost
