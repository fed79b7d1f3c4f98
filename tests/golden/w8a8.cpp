// Quantised activations have no golden for a whole model: compiled code is held against the
// interpreter, which runs the same optimised IR, by the likelihood of a text.
#include <gmock/gmock.h>

#include "tests/golden/compiled_model.h"
#include "tests/golden/interpreted_model.h"
#include "tools/lathe-interpret/generate.h"

namespace lathe::golden {
namespace {

const std::string kFolder = LATHE_SOURCE_DIR "/models/stories_mla_fp8";

double interpretedNll(const GoldenFolder &golden, const std::string &weights) {
  InterpretedModel model(golden.path(), {.activations = "w8a8", .weights = weights});
  reference::ModelRunner runner = model.runner();
  EvalText text = evalText(golden);
  const auto result = interpret::likelihood(runner, text.tokens, text.bos, /*window=*/256);
  EXPECT_TRUE(result.ok()) << result.status();
  return result->nats_per_token;
}

// Weights as they are are FP8, and so are the rows; integers meet integers.
struct Case {
  const char *name, *weights;
  double bound; // of what f32 predicts
};

class W8a8 : public testing::TestWithParam<Case> {};

TEST_P(W8a8, predictsATextAsTheInterpreterDoesAndHardlyWorseThanF32) {
  const GoldenFolder golden(kFolder);
  CompiledModel model;
  ASSERT_NO_FATAL_FAILURE(
      model.compile(kFolder, {.activations = "w8a8", .weights = GetParam().weights}));
  const double oracle = interpretedNll(golden, GetParam().weights),
               exact = golden.json()["eval"]["mean_nll"].get<double>();
  for (const std::string &target : model.targets()) {
    const double compiled = model.meanNll(golden, target);
    EXPECT_NEAR(compiled, oracle, 0.003 * oracle) << target;
    EXPECT_NEAR(compiled, exact, GetParam().bound * exact) << target;
  }
}

INSTANTIATE_TEST_SUITE_P(All, W8a8,
                         testing::Values(Case{"fp8", "", 0.02}, Case{"q8_0", "q8_0", 0.005},
                                         Case{"q4_0", "q4_0", 0.1}),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace lathe::golden
