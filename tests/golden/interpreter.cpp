// The oracle against its own oracle: every checkpoint under tests/data that has Hugging Face's
// logits, imported and run by the reference interpreter, in one step and in small ones.
#include <gmock/gmock.h>

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "tests/golden/golden_folder.h"
#include "tools/lathe-interpret/generate.h"
#include "tools/lathe-interpret/model.h"

namespace lathe::interpret {
namespace {

class Golden : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
    absl::StatusOr<Model> opened = openModel(context, folder(), /*weights=*/"", /*seed=*/0);
    ASSERT_TRUE(opened.ok()) << opened.status();
    model = std::move(*opened);
    mlir::FailureOr<reference::ModelRunner> created =
        reference::ModelRunner::create(*model.module, *model.weights);
    ASSERT_TRUE(mlir::succeeded(created));
    runner.emplace(std::move(*created));
  }

  const std::string &folder() const { return GetParam(); }

  ::lathe::golden::GoldenFolder golden{GetParam()};
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  Model model;
  std::optional<reference::ModelRunner> runner;
};

class GoldenLogits : public Golden {};

TEST_P(GoldenLogits, areHeldAtEveryPositionWhateverTheChunk) {
  const std::vector<int32_t> all = golden.allIds();
  const std::vector<float> expected = golden.logits();
  for (size_t chunk : {0, 1, 3}) {
    runner->reset();
    mlir::FailureOr<reference::Tensor> result = runner->feedInChunks(all, chunk);
    ASSERT_TRUE(mlir::succeeded(result));
    ASSERT_EQ(result->values.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(result->values[i], expected[i], golden.tolerance())
          << "chunk " << chunk << ", position " << i / result->columns() << ", id "
          << i % result->columns();
  }
}

TEST_P(GoldenLogits, leadToTheSameGreedyTokens) {
  const std::vector<int32_t> expected = golden.ids("greedy");
  const absl::StatusOr<Generated> result =
      generate(*runner, golden.ids("prompt"), /*chunk=*/4, expected.size());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->continuation, expected);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenLogits, testing::ValuesIn(golden::foldersWithGoldens()),
                         golden::testName);

class GoldenText : public Golden {};

TEST_P(GoldenText, hasHuggingFacesMeanNegativeLogLikelihood) {
  const auto text = ::lathe::golden::evalText(golden);
  const auto result = likelihood(*runner, text.tokens, text.bos, /*window=*/256);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tokens, golden.json()["eval"]["tokens"].get<int64_t>());
  EXPECT_NEAR(result->nats_per_token, golden.json()["eval"]["mean_nll"].get<double>(), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenText, testing::ValuesIn(golden::foldersWithTexts()),
                         golden::testName);

} // namespace
} // namespace lathe::interpret
