// Caches in bf16: compiled code against the interpreter, which rounds what it writes into a cache,
// and both against exact caches.
#include <cmath>

#include <gmock/gmock.h>

#include "runtime/cpu/features.h"
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

// The best of this machine and the least, which is what tells their kernels apart.
std::vector<std::string> levels() {
  return {runtime::CpuFeatures::ofThisMachine().levelName(), "x86-64-v3"};
}

class RoundedCaches : public testing::TestWithParam<std::string> {};

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
  ASSERT_NO_FATAL_FAILURE(model.compile(GetParam(), {.cache = "bf16", .levels = levels()}));
  for (const std::string &target : model.targets())
    for (int chunk : {0, 3, 1}) {
      const std::vector<float> one = model.logits(target, 1, chunk, ids);
      EXPECT_LE(rowDifferences(one, expected, ids.size())[counts], golden.tolerance() + effect / 2)
          << target << ", chunk " << chunk << "; rounding changes " << effect;
      EXPECT_EQ(one, model.logits(target, 2, chunk, ids)) << target << ", two threads";
    }
}

INSTANTIATE_TEST_SUITE_P(All, RoundedCaches, testing::ValuesIn(foldersWithGoldens()), testName);

class RoundedText : public testing::TestWithParam<std::string> {};

TEST_P(RoundedText, isPredictedHardlyWorse) {
  const GoldenFolder golden(GetParam());
  const double exact = golden.json()["eval"]["mean_nll"].get<double>();
  CompiledModel model;
  ASSERT_NO_FATAL_FAILURE(model.compile(GetParam(), {.cache = "bf16", .levels = levels()}));
  for (const std::string &target : model.targets())
    EXPECT_NEAR(model.meanNll(golden, target), exact, 0.001 * exact) << target;
}

// A context of several pieces (select/choice.cpp), which threads share in whatever way.
class LongContext : public testing::TestWithParam<std::string> {};

std::vector<float> logitsAtDepth(const CompiledModel &model, const std::string &target, int threads,
                                 size_t depth) {
  std::vector<int32_t> ids(depth);
  for (size_t i = 0; i < depth; ++i)
    ids[i] = static_cast<int32_t>(i * 7 % 24);
  const auto session = model.open(target, threads, /*chunk=*/0);
  EXPECT_TRUE(session->feed(ids).ok());
  std::vector<float> logits;
  for (int32_t id : {3, 1, 4}) {
    EXPECT_TRUE(session->feed({&id, 1}).ok());
    logits.insert(logits.end(), session->logits().begin(), session->logits().end());
  }
  return logits;
}

TEST_P(LongContext, givesTheSameBitsForAnyNumberOfThreads) {
  for (auto config : {models::tinyLlama(), models::tinyDeepseekV3()}) {
    config["max_position_embeddings"] = 4096;
    models::TinyCheckpoint tiny(config);
    ASSERT_TRUE(tiny.open().ok());
    CompiledModel model;
    ASSERT_NO_FATAL_FAILURE(model.compile(tiny.path(), {.cache = GetParam(), .levels = levels()}));
    for (const std::string &target : model.targets()) {
      const std::vector<float> one = logitsAtDepth(model, target, 1, 1700);
      for (int threads : {2, 3, 5})
        EXPECT_EQ(one, logitsAtDepth(model, target, threads, 1700)) << target << ", " << threads;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, LongContext, testing::Values("f32", "bf16"),
                         [](const auto &info) { return info.param; });

INSTANTIATE_TEST_SUITE_P(All, RoundedText, testing::ValuesIn(foldersWithTexts()), testName);

} // namespace
} // namespace lathe::golden
