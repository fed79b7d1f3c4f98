// Caches in bf16: compiled code against the interpreter, which rounds what it writes into a cache,
// and both against exact caches.
#include <cmath>

#include <gmock/gmock.h>

#include "tests/golden/compiled_model.h"
#include "tests/golden/interpreted_model.h"
#include "tests/unit/models/tiny_checkpoint.h"

namespace lathe::golden {
namespace {

// The largest difference of each row, the largest first.
std::vector<double> rowDifferences(const std::vector<float> &a, const std::vector<float> &b,
                                   size_t rows) {
  std::vector<double> differences(rows, a.size() == b.size() ? 0 : INFINITY);
  for (size_t i = 0, columns = a.size() / rows; i < std::min(a.size(), b.size()); ++i)
    differences[i / columns] = std::max(
        differences[i / columns], std::isnan(a[i]) ? INFINITY : std::abs(double(a[i]) - b[i]));
  std::sort(differences.rbegin(), differences.rend());
  return differences;
}

bool hasExperts(const std::string &folder) {
  return readTextFile(folder + "/config.json")->find("_experts") != std::string::npos;
}

class RoundedCaches : public testing::TestWithParam<std::string> {
protected:
  // One of them: folders take turns, and a kind of attention has several.
  static std::string level() {
    return bestAndLeastLevels()[turnOf(GetParam(), foldersWithGoldens())];
  }
};

// A number close to the middle between two bf16 may be rounded up by one and down by the other,
// since neither computes it exactly. That happens to one of some thousand, so it does a part of
// what rounding does to all of them: half of that is the bound, beside the tolerance of exact
// caches. Rounding can also bring a router to a tie, and then one row has other experts: of a model
// with experts the second row counts.
TEST_P(RoundedCaches, giveTheInterpretersLogitsForEveryChunk) {
  const GoldenFolder golden(GetParam());
  const std::vector<int32_t> ids = golden.allIds();
  const size_t counts = hasExperts(GetParam()) ? 1 : 0;
  const std::vector<float> expected =
      InterpretedModel(GetParam(), {}, models::CacheElement::bf16).logits(ids);
  const double effect = rowDifferences(expected, golden.logits(), ids.size())[counts];
  EXPECT_GT(effect, golden.tolerance()) << "rounding should be seen";
  CompiledModel model;
  ASSERT_NO_FATAL_FAILURE(model.compile(GetParam(), {.cache = "bf16", .levels = {level()}}));
  for (int chunk : {0, 3, 1}) {
    const std::vector<float> one = model.logits(level(), 1, chunk, ids);
    EXPECT_LE(rowDifferences(one, expected, ids.size())[counts], golden.tolerance() + effect / 2)
        << level() << ", chunk " << chunk << "; rounding changes " << effect;
    EXPECT_EQ(one, model.logits(level(), 2, chunk, ids)) << level() << ", two threads";
  }
}

INSTANTIATE_TEST_SUITE_P(All, RoundedCaches, testing::ValuesIn(foldersWithGoldens()), testName);

class RoundedText : public testing::TestWithParam<std::string> {};

TEST_P(RoundedText, isPredictedHardlyWorse) {
  const GoldenFolder golden(GetParam());
  const double exact = golden.json()["eval"]["mean_nll"].get<double>();
  CompiledModel model;
  ASSERT_NO_FATAL_FAILURE(
      model.compile(GetParam(), {.cache = "bf16", .levels = bestAndLeastLevels()}));
  for (const std::string &target : model.targets())
    EXPECT_NEAR(model.meanNll(golden, target), exact, 0.001 * exact) << target;
}

// A context of several pieces (select/choice.cpp), which threads share in whatever way.
class LongContext : public testing::TestWithParam<std::string> {};

std::vector<int32_t> someIds(size_t count) {
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i)
    ids[i] = static_cast<int32_t>(i * 7 % 24);
  return ids;
}

// Of `steps` steps of one token behind `depth` tokens.
std::vector<float> logitsAtDepth(const CompiledModel &model, const std::string &target, int threads,
                                 size_t depth, size_t steps = 3) {
  const std::vector<int32_t> ids = someIds(depth + steps);
  const auto session = model.open(target, threads, /*chunk=*/0);
  EXPECT_TRUE(session->feed({ids.data(), depth}).ok());
  std::vector<float> logits;
  for (size_t i = depth; i < ids.size(); ++i) {
    EXPECT_TRUE(session->feed({&ids[i], 1}).ok());
    logits.insert(logits.end(), session->logits().begin(), session->logits().end());
  }
  return logits;
}

nlohmann::ordered_json tinyLlamaOfOneKeyHead() {
  auto config = models::tinyLlama();
  config["num_key_value_heads"] = 1;
  return config;
}

TEST_P(LongContext, givesTheSameBitsForAnyNumberOfThreads) {
  for (auto config : {models::tinyLlama(), tinyLlamaOfOneKeyHead(), models::tinyDeepseekV3()}) {
    config["max_position_embeddings"] = 4096;
    models::TinyCheckpoint tiny(config);
    ASSERT_TRUE(tiny.open().ok());
    CompiledModel model;
    ASSERT_NO_FATAL_FAILURE(
        model.compile(tiny.path(), {.cache = GetParam(), .levels = bestAndLeastLevels()}));
    for (const std::string &target : model.targets()) {
      const std::vector<float> one = logitsAtDepth(model, target, 1, 1700);
      for (int threads : {2, 3, 7})
        EXPECT_EQ(one, logitsAtDepth(model, target, threads, 1700)) << target << ", " << threads;
    }
  }
}

// 512 tokens are two pieces of grouped-query attention. qwen2_sliding's windows end in the second.
TEST(LongContextOfKeys, givesTheInterpretersLogits) {
  for (const char *name : {"smollm", "qwen2_sliding"}) {
    const std::string folder = std::string(LATHE_TEST_DATA) + "/golden/" + name;
    const std::vector<float> all = InterpretedModel(folder, {}).logits(someIds(400));
    const std::vector<float> expected(all.end() - static_cast<long>(all.size() / 400 * 3),
                                      all.end());
    CompiledModel model;
    ASSERT_NO_FATAL_FAILURE(model.compile(folder, {.levels = bestAndLeastLevels()}));
    for (const std::string &target : model.targets())
      EXPECT_LE(largestDifference(logitsAtDepth(model, target, 2, 397), expected),
                GoldenFolder(folder).tolerance())
          << name << ", " << target;
  }
}

INSTANTIATE_TEST_SUITE_P(All, LongContext, testing::Values("f32", "bf16"),
                         [](const auto &info) { return info.param; });

INSTANTIATE_TEST_SUITE_P(All, RoundedText, testing::ValuesIn(foldersWithTexts()), testName);

} // namespace
} // namespace lathe::golden
