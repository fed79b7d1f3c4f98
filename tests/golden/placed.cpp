// Models of which another device runs a part: the null plugin's, behind the border and out of the
// artifact as any other's would. Against the interpreter, which knows nothing of places.
#include <cmath>

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "runtime/plugin/probe.h"
#include "tests/golden/compiled_model.h"
#include "tests/golden/interpreted_model.h"
#include "tools/compiler/compile.h"

namespace lathe::golden {
namespace {

// Tied embeddings, biases, norms of heads, scaled sums, latent attention, experts, FP8 blocks.
const char *const kFolders[] = {"llama_f32", "smollm",  "qwen2",   "qwen3",
                                "minicpm3",  "v2_lite", "kimi_k2", "v3_fp8_block"};
const char *const kRules[] = {
    "linear=null:null,rms_norm=null:null,add=null:null", // a part wherever one can be
    "*0/*=x86,rms_norm=null:null",                       // not in the first layer
    "linear=null:null",
};

class PlacedModel : public testing::TestWithParam<const char *> {
protected:
  static std::shared_ptr<runtime::Plugin> nullPlugin() {
    auto plugin = runtime::loadPlugin(LATHE_NULL_PLUGIN);
    EXPECT_TRUE(plugin.ok()) << plugin.status();
    return *std::move(plugin);
  }
};

TEST_P(PlacedModel, givesTheInterpretersLogitsForEveryChunk) {
  const GoldenFolder golden(std::string(LATHE_TEST_DATA "/golden/") + GetParam());
  const std::vector<int32_t> ids = golden.allIds();
  const std::vector<float> expected = InterpretedModel(golden.path(), {}).logits(ids);
  for (const char *rules : kRules) {
    CompiledModel model;
    ASSERT_NO_FATAL_FAILURE(model.compile(
        golden.path(),
        {.levels = {"x86-64-v3", "null:null"}, .plugin = nullPlugin(), .place = rules}));
    ASSERT_THAT(model.targets(), testing::ElementsAre("x86-64-v3", "x86-64-v3+null:null")) << rules;
    for (const std::string &target : model.targets())
      for (int chunk : {0, 3, 1}) {
        const std::vector<float> one = model.logits(target, 1, chunk, ids);
        EXPECT_LE(largestDifference(one, expected), golden.tolerance())
            << rules << ", " << target << ", chunk " << chunk;
        EXPECT_EQ(one, model.logits(target, 2, chunk, ids)) << target << ", two threads";
      }
  }
}

class Placement : public testing::Test {
protected:
  void SetUp() override {
    auto plugin = runtime::loadPlugin(LATHE_NULL_PLUGIN);
    ASSERT_TRUE(plugin.ok()) << plugin.status();
    options_.checkpoint = LATHE_TEST_DATA "/golden/llama_f32";
    options_.output = folder_ / "m.lathe";
    options_.targets = {"x86-64-v3", "null:null"};
    options_.plugins = {*plugin};
  }

  ScratchFolder folder_;
  compiler::CompileOptions options_;
};

TEST_F(Placement, refusesRulesThatNameNoTarget) {
  options_.place = "linear=null:nil";
  EXPECT_THAT(compiler::compile(options_).status().message(),
              testing::HasSubstr("rule 'linear=null:nil' names the target 'null:nil'; the targets "
                                 "are x86, null:null"));
  options_.place = "linear";
  EXPECT_THAT(compiler::compile(options_).status().message(),
              testing::HasSubstr("rule 'linear' is not of the form PATTERN=TARGET"));
}

// What costs more than it saves stays at home, and whoever asked is told.
TEST_F(Placement, notesATargetThatGetsNothing) {
  std::string notes;
  options_.place = "*=x86";
  options_.note = [&](absl::string_view text) { absl::StrAppend(&notes, text, "\n"); };
  auto report = compiler::compile(options_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->targets, testing::ElementsAre("x86-64-v3"));
  EXPECT_THAT(notes, testing::HasSubstr("null:null gets no op"));
}

INSTANTIATE_TEST_SUITE_P(Goldens, PlacedModel, testing::ValuesIn(kFolders),
                         [](const auto &info) { return std::string(info.param); });

} // namespace
} // namespace lathe::golden
