// The oracle against its own oracle: every checkpoint of the tree that has Hugging Face's logits,
// imported and run by the reference interpreter, in one step and in small ones.
#include <cmath>
#include <cstring>
#include <filesystem>

#include <gmock/gmock.h>

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "base/file.h"
#include "base/json.h"
#include "frontend/safetensors.h"
#include "text/tokenizer/tokenizer.h"
#include "tools/lathe-interpret/generate.h"
#include "tools/lathe-interpret/model.h"

namespace lathe::interpret {
namespace {

std::vector<std::string> foldersWithGoldens() {
  std::vector<std::string> folders;
  for (const char *root : {LATHE_TEST_DATA, LATHE_TEST_DATA "/golden", LATHE_SOURCE_DIR "/models"})
    for (const auto &entry : std::filesystem::directory_iterator(root))
      if (fileExists(entry.path().string() + "/golden.json") &&
          fileExists(entry.path().string() + "/config.json"))
        folders.push_back(std::filesystem::relative(entry.path(), LATHE_SOURCE_DIR).string());
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::string testName(const testing::TestParamInfo<std::string> &info) {
  return std::filesystem::path(info.param).filename().string();
}

class Golden : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    const absl::StatusOr<std::string> text = readTextFile(folder() + "/golden.json");
    ASSERT_TRUE(text.ok()) << text.status();
    const auto parsed = parseJson(*text, "golden.json");
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    json = *parsed;
    context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
    absl::StatusOr<Model> opened = openModel(context, folder(), /*weights=*/"", /*seed=*/0);
    ASSERT_TRUE(opened.ok()) << opened.status();
    model = std::move(*opened);
    mlir::FailureOr<reference::ModelRunner> created =
        reference::ModelRunner::create(*model.module, *model.weights);
    ASSERT_TRUE(mlir::succeeded(created));
    runner.emplace(std::move(*created));
  }

  std::string folder() const { return std::string(LATHE_SOURCE_DIR "/") + GetParam(); }
  std::vector<int32_t> ids(const char *key) const { return json[key].get<std::vector<int32_t>>(); }

  std::vector<float> logits() const {
    const auto file = frontend::SafetensorsFile::open(folder() + "/golden.safetensors");
    EXPECT_TRUE(file.ok()) << file.status();
    const frontend::Tensor *tensor = file->find("logits");
    std::vector<float> values(tensor->bytes.size() / sizeof(float));
    std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
    return values;
  }

  nlohmann::ordered_json json;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  Model model;
  std::optional<reference::ModelRunner> runner;
};

class GoldenLogits : public Golden {};

TEST_P(GoldenLogits, areHeldAtEveryPositionWhateverTheChunk) {
  std::vector<int32_t> all = ids("prompt");
  const std::vector<int32_t> greedy = ids("greedy");
  all.insert(all.end(), greedy.begin(), greedy.end());
  const std::vector<float> expected = logits();
  const double tolerance = json["tolerance"]["logits_abs"].get<double>();
  for (size_t chunk : {0, 1, 3}) {
    runner->reset();
    mlir::FailureOr<reference::Tensor> result = runner->feedInChunks(all, chunk);
    ASSERT_TRUE(mlir::succeeded(result));
    ASSERT_EQ(result->values.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(result->values[i], expected[i], tolerance)
          << "chunk " << chunk << ", position " << i / result->columns() << ", id "
          << i % result->columns();
  }
}

TEST_P(GoldenLogits, leadToTheSameGreedyTokens) {
  const std::vector<int32_t> expected = ids("greedy");
  const absl::StatusOr<Generated> result =
      generate(*runner, ids("prompt"), /*chunk=*/4, expected.size());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->continuation, expected);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenLogits, testing::ValuesIn(foldersWithGoldens()), testName);

class GoldenText : public Golden {};

TEST_P(GoldenText, hasHuggingFacesMeanNegativeLogLikelihood) {
  const auto tokenizer = text::Tokenizer::load(*model.checkpoint->tokenizer(), "tokenizer.json",
                                               model.checkpoint->tokenizerConfig().value_or(""));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const auto text = readTextFile(folder() + "/" + json["eval"]["file"].get<std::string>());
  const auto tokens = tokenizer->encode(*text, /*add_special=*/false);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  const auto result = likelihood(*runner, *tokens, tokenizer->bosId().value_or(-1), /*window=*/256);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tokens, json["eval"]["tokens"].get<int64_t>());
  EXPECT_NEAR(result->nats_per_token, json["eval"]["mean_nll"].get<double>(), 1e-5);
}

std::vector<std::string> foldersWithTexts() {
  std::vector<std::string> folders = foldersWithGoldens();
  std::erase_if(folders, [](const std::string &folder) {
    return !fileExists(std::string(LATHE_SOURCE_DIR "/") + folder + "/eval.txt");
  });
  return folders;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenText, testing::ValuesIn(foldersWithTexts()), testName);

} // namespace
} // namespace lathe::interpret
