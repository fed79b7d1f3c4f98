// Compiled code against Hugging Face: every checkpoint with goldens is compiled for the levels that
// this machine has, and run by the runtime in steps of several sizes on one and two threads.
#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>

#include "runtime/cpu/device.h"
#include "runtime/eval/eval.h"
#include "runtime/generate/generate.h"
#include "tests/golden/golden_folder.h"
#include "text/tokenizer/tokenizer.h"
#include "tools/compiler/compile.h"

namespace lathe::golden {
namespace {

// An artifact in a temporary folder that goes away with the object.
class TemporaryArtifact {
public:
  TemporaryArtifact() {
    char pattern[] = "/tmp/lathe-golden-XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  ~TemporaryArtifact() { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/model.lathe"; }

private:
  std::string folder_;
};

class Compiled : public testing::TestWithParam<std::string> {
protected:
  void compile(const std::string &activations, const std::string &mla_form = "") {
    compiler::CompileOptions options;
    options.checkpoint = GetParam();
    options.output = artifact.path();
    options.activations = activations;
    options.mla_form = mla_form;
    options.force = true;
    const auto report = compiler::compile(options);
    ASSERT_TRUE(report.ok()) << report.status();
    targets = report->targets;
  }

  std::unique_ptr<runtime::Session> open(const std::string &target, int threads, int chunk) {
    auto device = runtime::createCpuDevice({threads});
    EXPECT_TRUE(device.ok()) << device.status();
    auto module = runtime::Module::load(artifact.path(), *device, {target});
    EXPECT_TRUE(module.ok()) << module.status();
    auto session = runtime::Session::create(*module, {chunk, nullptr});
    EXPECT_TRUE(session.ok()) << session.status();
    return std::move(*session);
  }

  std::vector<float> logitsOf(runtime::Session &session, const std::vector<int32_t> &ids) {
    std::vector<float> all;
    const absl::Status status = session.feedAll(
        ids, [&](size_t, absl::Span<const float> row) { all.insert(all.end(), row.begin(), row.end()); });
    EXPECT_TRUE(status.ok()) << status;
    return all;
  }

  double meanNll(const std::string &target) {
    auto session = open(target, 2, 0);
    const auto tokenizer =
        text::Tokenizer::load(*session->module().text("tokenizer.json"), "tokenizer.json",
                              session->module().text("tokenizer_config.json").value_or(""));
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
    const auto text = readTextFile(GetParam() + "/" + golden.json()["eval"]["file"].get<std::string>());
    const auto tokens = tokenizer->encode(*text, /*add_special=*/false);
    runtime::EvalOptions options;
    options.window = 256;
    options.bos_token_id = tokenizer->bosId().value_or(-1);
    const auto result = runtime::evaluate(*session, *tokens, options, [](int64_t, int64_t) {});
    EXPECT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->tokens, golden.json()["eval"]["tokens"].get<int64_t>());
    return result->mean_nll;
  }

  GoldenFolder golden{GetParam()};
  TemporaryArtifact artifact;
  std::vector<std::string> targets;
};

double largestDifference(const std::vector<float> &a, const std::vector<float> &b) {
  double largest = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::max(largest, std::isnan(a[i]) ? INFINITY : std::abs(double(a[i]) - b[i]));
  return largest;
}

class GoldenLogits : public Compiled {
protected:
  void expectGolden() {
    const std::vector<int32_t> ids = golden.allIds();
    const std::vector<float> expected = golden.logits();
    for (const std::string &target : targets)
      for (int chunk : {0, 3, 1}) {
        const std::vector<float> one = logitsOf(*open(target, 1, chunk), ids);
        EXPECT_LE(largestDifference(one, expected), golden.tolerance()) << target << ", chunk " << chunk;
        EXPECT_EQ(one, logitsOf(*open(target, 2, chunk), ids)) << target << ", two threads, chunk " << chunk;
      }
  }
};

TEST_P(GoldenLogits, areHeldForEveryChunkAndNumberOfThreads) {
  ASSERT_NO_FATAL_FAILURE(compile("f32"));
  expectGolden();
}

TEST_P(GoldenLogits, leadToTheSameGreedyTokens) {
  ASSERT_NO_FATAL_FAILURE(compile("f32"));
  runtime::GenerateOptions options;
  options.max_new = golden.ids("greedy").size();
  for (const std::string &target : targets) {
    auto session = open(target, 2, 0);
    const auto result = runtime::generate(*session, golden.ids("prompt"), options, [](int32_t) { return true; });
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->tokens, golden.ids("greedy")) << target;
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

class LatentForms : public GoldenLogits {};

TEST_P(LatentForms, haveOneMeaning) {
  for (const char *form : {"materialised", "absorbed"}) {
    ASSERT_NO_FATAL_FAILURE(compile("f32", form));
    expectGolden();
  }
}

INSTANTIATE_TEST_SUITE_P(All, LatentForms, testing::ValuesIn(latentFolders()), testName);

class GoldenText : public Compiled {};

TEST_P(GoldenText, hasHuggingFacesMeanNegativeLogLikelihood) {
  ASSERT_NO_FATAL_FAILURE(compile("f32"));
  for (const std::string &target : targets)
    EXPECT_NEAR(meanNll(target), golden.json()["eval"]["mean_nll"].get<double>(), 0.002) << target;
}

TEST_P(GoldenText, losesLittleWithRoundedActivations) {
  const double exact = golden.json()["eval"]["mean_nll"].get<double>();
  ASSERT_NO_FATAL_FAILURE(compile("bf16"));
  for (const std::string &target : targets)
    EXPECT_NEAR(meanNll(target), exact, 0.005 * exact) << target;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenText, testing::ValuesIn(foldersWithTexts()), testName);

} // namespace
} // namespace lathe::golden
