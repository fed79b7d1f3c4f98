// Models split between x86 and oneDNN, with caches on the plugin's side. Against the interpreter,
// as placed.cpp.
#include <gmock/gmock.h>

#include "runtime/plugin/probe.h"
#include "tests/golden/compiled_model.h"
#include "tests/golden/interpreted_model.h"

namespace lathe::golden {
namespace {

struct Split {
  const char *folder, *rules;
};

const Split kSplits[] = {
    {"llama_f32", "*=onednn:f32"}, // all that it takes: all but tables, rotations and rows chosen
    {"qwen2_sliding", "attention=onednn:f32"},
    {"minicpm3", "*=onednn:f32"},
    {"v3_fp8_block", "mla_attention=onednn:f32,linear=onednn:f32,gated_linear=onednn:f32"},
};

class OnednnModel : public testing::TestWithParam<Split> {};

TEST_P(OnednnModel, givesTheInterpretersLogitsForEveryChunk) {
  auto plugin = runtime::loadPlugin(LATHE_ONEDNN_PLUGIN);
  ASSERT_TRUE(plugin.ok()) << plugin.status();
  const GoldenFolder golden(std::string(LATHE_TEST_DATA "/golden/") + GetParam().folder);
  const std::vector<int32_t> ids = golden.allIds();
  const std::vector<float> expected = InterpretedModel(golden.path(), {}).logits(ids);
  CompiledModel model;
  ASSERT_NO_FATAL_FAILURE(model.compile(
      golden.path(),
      {.levels = {"x86-64-v3", "onednn:f32"}, .plugin = *plugin, .place = GetParam().rules}));
  const std::string target = "x86-64-v3+onednn:f32";
  ASSERT_THAT(model.targets(), testing::ElementsAre("x86-64-v3", target));
  for (int chunk : {0, 3, 1}) {
    const std::vector<float> one = model.logits(target, 1, chunk, ids);
    EXPECT_LE(largestDifference(one, expected), golden.tolerance()) << "chunk " << chunk;
    EXPECT_EQ(one, model.logits(target, 2, chunk, ids)) << "two threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, OnednnModel, testing::ValuesIn(kSplits),
                         [](const auto &info) { return std::string(info.param.folder); });

} // namespace
} // namespace lathe::golden
