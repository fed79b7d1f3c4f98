// Compiled code against Hugging Face: every checkpoint with goldens is compiled for the levels that
// this machine has, and run by the runtime in steps of several sizes on one and two threads.
#include <cmath>

#include <gmock/gmock.h>

#include "runtime/generate/generate.h"
#include "tests/golden/compiled_model.h"

namespace lathe::golden {
namespace {

class Compiled : public testing::TestWithParam<std::string> {
protected:
  void compile(const std::string &activations) {
    model.compile(GetParam(), {.activations = activations, .cache = ""}); // that of the flags
  }

  GoldenFolder golden{GetParam()};
  CompiledModel model;
};

class GoldenLogits : public Compiled {
protected:
  void expectLogits(const std::string &target) {
    const std::vector<int32_t> ids = golden.allIds();
    const std::vector<float> expected = golden.logits();
    for (int chunk : {0, 3, 1}) {
      const std::vector<float> one = model.logits(target, 1, chunk, ids);
      EXPECT_LE(largestDifference(one, expected), golden.tolerance())
          << target << ", chunk " << chunk;
      EXPECT_EQ(one, model.logits(target, 2, chunk, ids))
          << target << ", two threads, chunk " << chunk;
    }
  }

  void expectGreedyTokens(const std::string &target) {
    runtime::GenerateOptions options;
    options.max_new = golden.ids("greedy").size();
    const auto result = runtime::generate(*model.open(target, 2, 0), golden.ids("prompt"), options,
                                          [](int32_t) { return true; });
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->tokens, golden.ids("greedy")) << target;
  }
};

TEST_P(GoldenLogits, areHeldForEveryLevelChunkAndNumberOfThreads) {
  ASSERT_NO_FATAL_FAILURE(compile("f32"));
  for (const std::string &target : model.targets()) {
    expectLogits(target);
    expectGreedyTokens(target);
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenLogits, testing::ValuesIn(foldersWithGoldens()), testName);

bool hasLatentAttention(const std::string &folder) {
  return readTextFile(folder + "/config.json")->find("kv_lora_rank") != std::string::npos;
}

std::vector<std::string> latentFolders() {
  std::vector<std::string> folders = foldersWithGoldens();
  std::erase_if(folders, [](const std::string &folder) { return !hasLatentAttention(folder); });
  return folders;
}

// One form for all steps, where a model that says nothing has the cheaper one in each. Folders take
// turns.
class LatentForms : public GoldenLogits {
protected:
  static const char *form() {
    return turnOf(GetParam(), latentFolders()) ? "absorbed" : "materialised";
  }
};

TEST_P(LatentForms, haveOneMeaning) {
  ASSERT_NO_FATAL_FAILURE(model.compile(GetParam(), {.mla_form = form(), .levels = {"x86-64-v3"}}));
  expectLogits("x86-64-v3");
}

INSTANTIATE_TEST_SUITE_P(All, LatentForms, testing::ValuesIn(latentFolders()), testName);

class GoldenText : public Compiled {};

TEST_P(GoldenText, hasHuggingFacesMeanNegativeLogLikelihood) {
  ASSERT_NO_FATAL_FAILURE(compile("f32"));
  for (const std::string &target : model.targets())
    EXPECT_NEAR(model.meanNll(golden, target), golden.json()["eval"]["mean_nll"].get<double>(),
                0.002)
        << target;
}

TEST_P(GoldenText, losesLittleWithRoundedActivations) {
  const double exact = golden.json()["eval"]["mean_nll"].get<double>();
  ASSERT_NO_FATAL_FAILURE(compile("bf16"));
  for (const std::string &target : model.targets())
    EXPECT_NEAR(model.meanNll(golden, target), exact, 0.005 * exact) << target;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenText, testing::ValuesIn(foldersWithTexts()), testName);

} // namespace
} // namespace lathe::golden
