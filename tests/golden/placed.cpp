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
};

class PlacedModel : public testing::TestWithParam<const char *> {
protected:
  PlacedModel()
      : golden_(std::string(LATHE_TEST_DATA "/golden/") + GetParam()), ids_(golden_.allIds()),
        expected_(InterpretedModel(golden_.path(), {}).logits(ids_)) {}

  // On x86 and a target of the plugin, which the rules place something on.
  void expectTheInterpretersLogits(const char *library, const std::string &target,
                                   const std::string &rules) {
    auto plugin = runtime::loadPlugin(library);
    ASSERT_TRUE(plugin.ok()) << plugin.status();
    CompiledModel model;
    ASSERT_NO_FATAL_FAILURE(model.compile(
        golden_.path(), {.levels = {"x86-64-v3", target}, .plugin = *plugin, .place = rules}));
    ASSERT_THAT(model.targets(), testing::ElementsAre("x86-64-v3", "x86-64-v3+" + target)) << rules;
    for (const std::string &where : model.targets())
      for (int chunk : {0, 3, 1}) {
        const std::vector<float> one = model.logits(where, 1, chunk, ids_);
        EXPECT_LE(largestDifference(one, expected_), golden_.tolerance())
            << rules << ", " << where << ", chunk " << chunk;
        EXPECT_EQ(one, model.logits(where, 2, chunk, ids_)) << where << ", two threads";
      }
  }

  GoldenFolder golden_;
  std::vector<int32_t> ids_;
  std::vector<float> expected_;
};

TEST_P(PlacedModel, givesTheInterpretersLogitsForEveryChunk) {
  for (const char *rules : kRules)
    expectTheInterpretersLogits(LATHE_NULL_PLUGIN, "null:null", rules);
}

// The plugin sees kernels over tiles, and no op of the model. What it does not take stays at home.
TEST_P(PlacedModel, givesTheInterpretersLogitsThroughTiles) {
  expectTheInterpretersLogits(LATHE_TILES_PLUGIN, "tiles:tiles", "*=tiles:tiles");
}

using PlacedOps = PlacedModel;

// Whole ops only: each is a function of its own, in each step.
TEST_P(PlacedOps, giveTheInterpretersLogits) {
  expectTheInterpretersLogits(LATHE_TEMPLATE_PLUGIN, "template:template", "add=template:template");
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

INSTANTIATE_TEST_SUITE_P(Goldens, PlacedOps, testing::Values("llama_f32", "v2_lite"),
                         [](const auto &info) { return std::string(info.param); });

} // namespace
} // namespace lathe::golden
