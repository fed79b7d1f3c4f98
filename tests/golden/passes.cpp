// Every checkpoint under tests/data that has goldens: what the passes make of it gives the logits
// of its portable IR, whatever they are made to choose, and can be planned.
#include <cmath>

#include <gmock/gmock.h>

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "backends/reference/model_runner.h"
#include "passes/pipeline.h"
#include "tests/golden/golden_folder.h"
#include "tools/lathe-interpret/model.h"

namespace lathe::passes {
namespace {

class GoldenPasses : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    prompt = ::lathe::golden::GoldenFolder(GetParam()).ids("prompt");
    prompt.resize(std::min<size_t>(prompt.size(), 12));
    context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
    auto opened = interpret::openModel(context, GetParam(), /*weights=*/"", /*seed=*/0);
    ASSERT_TRUE(opened.ok()) << opened.status();
    model = std::move(*opened);
  }

  std::vector<float> logits(mlir::ModuleOp module, size_t chunk) {
    auto runner = reference::ModelRunner::create(module, *model.weights);
    EXPECT_TRUE(mlir::succeeded(runner));
    auto result = runner->feedInChunks(prompt, chunk);
    EXPECT_TRUE(mlir::succeeded(result));
    return result->values;
  }

  mlir::OwningOpRef<mlir::ModuleOp> optimised(const Options &options) {
    mlir::OwningOpRef<mlir::ModuleOp> module = model.module->clone();
    EXPECT_TRUE(mlir::succeeded(optimise(*module, options)));
    return module;
  }

  // In one step (prefill), few at a time and token after token (decode).
  void expectSameLogits(mlir::ModuleOp module, float tolerance) {
    for (size_t chunk : {0, 3, 1}) {
      const std::vector<float> expected = logits(*model.module, chunk),
                               actual = logits(module, chunk);
      ASSERT_EQ(actual.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(actual[i], expected[i], tolerance * std::max(1.0f, std::abs(expected[i])));
    }
  }

  void expectSameLogits(const Options &options) {
    const mlir::OwningOpRef<mlir::ModuleOp> module = optimised(options);
    ASSERT_TRUE(mlir::succeeded(plan(*module)));
    expectSameLogits(*module, 1e-5);
  }

  std::vector<int32_t> prompt;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  interpret::Model model;
};

TEST_P(GoldenPasses, keepTheMeaning) { expectSameLogits({}); }

TEST_P(GoldenPasses, keepTheMeaningInEitherFormOfLatentAttention) {
  expectSameLogits({.mla_form = "materialised"});
  expectSameLogits({.mla_form = "absorbed"});
}

TEST_P(GoldenPasses, keepTheMeaningForTargetsWithoutFp8) {
  expectSameLogits({.native_fp8 = false});
}

// Kernels round where an op as a whole does not: in the middle of a norm, before a bias.
TEST_P(GoldenPasses, keepTheMeaningAsKernelsOverTiles) {
  const mlir::OwningOpRef<mlir::ModuleOp> module = optimised({});
  ASSERT_TRUE(mlir::succeeded(tiles(*module, 8, 32)));
  expectSameLogits(*module, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenPasses, testing::ValuesIn(golden::foldersWithGoldens()),
                         golden::testName);

} // namespace
} // namespace lathe::passes
