// Every checkpoint under tests/data that has goldens: what the passes make of it gives the logits
// of its portable IR, whatever they are made to choose, and can be planned.
#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "backends/reference/model_runner.h"
#include "base/file.h"
#include "base/json.h"
#include "passes/pipeline.h"
#include "tools/lathe-interpret/model.h"

namespace lathe::passes {
namespace {

std::vector<std::string> foldersWithGoldens() {
  std::vector<std::string> folders;
  for (const char *root : {LATHE_TEST_DATA, LATHE_TEST_DATA "/golden"})
    for (const auto &entry : std::filesystem::directory_iterator(root))
      if (fileExists(entry.path().string() + "/golden.json") &&
          fileExists(entry.path().string() + "/config.json"))
        folders.push_back(entry.path().string());
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::string testName(const testing::TestParamInfo<std::string> &info) {
  return std::filesystem::path(info.param).filename().string();
}

class GoldenPasses : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    const auto text = readTextFile(GetParam() + "/golden.json");
    ASSERT_TRUE(text.ok()) << text.status();
    const auto golden = parseJson(*text, "golden.json");
    ASSERT_TRUE(golden.ok()) << golden.status();
    prompt = (*golden)["prompt"].get<std::vector<int32_t>>();
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

  // In one step (prefill) and token after token (decode).
  void expectSameLogits(const Options &options) {
    const mlir::OwningOpRef<mlir::ModuleOp> optimised = model.module->clone();
    ASSERT_TRUE(mlir::succeeded(optimise(*optimised, options)));
    ASSERT_TRUE(mlir::succeeded(plan(*optimised)));
    for (size_t chunk : {0, 1}) {
      const std::vector<float> expected = logits(*model.module, chunk),
                               actual = logits(*optimised, chunk);
      ASSERT_EQ(actual.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(actual[i], expected[i], 1e-5 * std::max(1.0f, std::abs(expected[i])));
    }
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

INSTANTIATE_TEST_SUITE_P(All, GoldenPasses, testing::ValuesIn(foldersWithGoldens()), testName);

} // namespace
} // namespace lathe::passes
