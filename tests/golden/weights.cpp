// Weights that get another form at compile time: compiled code against the interpreter, which runs
// the same optimised IR and converts the weights by their definition.
#include <cmath>

#include <gmock/gmock.h>

#include "tests/golden/compiled_model.h"
#include "tests/golden/interpreted_model.h"

namespace lathe::golden {
namespace {

// One of each kind of checkpoint: f32, f16 and bf16 (tied), FP8 by block and by channel, latent
// attention, experts in files of their own and in one.
const char *const kFolders[] = {"llama_f32",         "llama_f16", "smollm",          "v3_fp8_block",
                                "llama_fp8_channel", "v2_lite",   "v3_fused_experts"};
const char *const kForms[] = {"q8_0", "q4_0", "fp8", "bf16"};

struct Case {
  std::string folder, form, level;
};

// On one of two levels: each form and each folder has both, and the tests of kernels have all.
std::vector<Case> cases() {
  const auto levels = bestAndLeastLevels();
  std::vector<Case> all;
  for (size_t i = 0; i < std::size(kFolders); ++i)
    for (size_t j = 0; j < std::size(kForms); ++j)
      all.push_back({kFolders[i], kForms[j], levels[(i + j) % 2]});
  return all;
}

class WeightForms : public testing::TestWithParam<Case> {};

TEST_P(WeightForms, giveTheInterpretersLogitsForEveryChunk) {
  const auto &[name, form, level] = GetParam();
  const GoldenFolder golden(std::string(LATHE_TEST_DATA "/golden/") + name);
  const std::vector<int32_t> ids = golden.allIds();
  const std::vector<float> expected =
      InterpretedModel(golden.path(), {.weights = form}).logits(ids);
  CompiledModel model;
  ASSERT_NO_FATAL_FAILURE(model.compile(golden.path(), {.weights = form, .levels = {level}}));
  for (int chunk : {0, 3, 1}) {
    const std::vector<float> one = model.logits(level, 1, chunk, ids);
    EXPECT_LE(largestDifference(one, expected), golden.tolerance()) << level << ", chunk " << chunk;
    EXPECT_EQ(one, model.logits(level, 2, chunk, ids)) << level << ", two threads";
  }
}

INSTANTIATE_TEST_SUITE_P(All, WeightForms, testing::ValuesIn(cases()), [](const auto &info) {
  return info.param.folder + "_" + info.param.form;
});

// A text is predicted hardly worse than with the weights of the checkpoint.
TEST(WeightForms, loseLittle) {
  const GoldenFolder golden(LATHE_TEST_DATA "/stories_mla");
  const double exact = golden.json()["eval"]["mean_nll"].get<double>();
  const std::pair<const char *, double> bounds[] = {
      {"bf16", 0.005}, {"fp8", 0.02}, {"q8_0", 0.005}, {"q4_0", 0.1}};
  for (const auto &[form, bound] : bounds) {
    CompiledModel model;
    ASSERT_NO_FATAL_FAILURE(
        model.compile(golden.path(), {.weights = form, .levels = {"x86-64-v3"}}));
    EXPECT_NEAR(model.meanNll(golden, "x86-64-v3"), exact, bound * exact) << form;
  }
}

} // namespace
} // namespace lathe::golden
