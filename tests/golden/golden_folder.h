// Checkpoints under tests/data that have Hugging Face's logits beside them.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "frontend/safetensors.h"
#include "text/tokenizer/tokenizer.h"

namespace lathe::golden {

inline std::vector<std::string> foldersWithGoldens() {
  std::vector<std::string> folders;
  for (const char *root : {LATHE_TEST_DATA, LATHE_TEST_DATA "/golden", LATHE_SOURCE_DIR "/models"})
    for (const auto &entry : std::filesystem::directory_iterator(root))
      if (fileExists(entry.path().string() + "/golden.json") &&
          fileExists(entry.path().string() + "/config.json"))
        folders.push_back(entry.path().string());
  std::sort(folders.begin(), folders.end());
  return folders;
}

inline std::vector<std::string> foldersWithTexts() {
  std::vector<std::string> folders = foldersWithGoldens();
  std::erase_if(folders,
                [](const std::string &folder) { return !fileExists(folder + "/eval.txt"); });
  return folders;
}

// Which of two choices a folder has where all folders take turns: 0 or 1.
inline size_t turnOf(const std::string &folder, const std::vector<std::string> &all) {
  return static_cast<size_t>(std::find(all.begin(), all.end(), folder) - all.begin()) % 2;
}

inline std::string testName(const testing::TestParamInfo<std::string> &info) {
  return std::filesystem::path(info.param).filename().string();
}

// golden.json and golden.safetensors of one folder.
class GoldenFolder {
public:
  explicit GoldenFolder(const std::string &path) : path_(path) {
    auto text = readTextFile(path + "/golden.json");
    EXPECT_TRUE(text.ok()) << text.status();
    auto parsed = parseJson(text.value_or("{}"), "golden.json");
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    json_ = *parsed;
  }

  const std::string &path() const { return path_; }
  const nlohmann::ordered_json &json() const { return json_; }
  double tolerance() const { return json_["tolerance"]["logits_abs"].get<double>(); }
  std::vector<int32_t> ids(const char *key) const { return json_[key].get<std::vector<int32_t>>(); }

  // The prompt and what follows it greedily: what `logits` has rows for.
  std::vector<int32_t> allIds() const {
    std::vector<int32_t> all = ids("prompt"), greedy = ids("greedy");
    all.insert(all.end(), greedy.begin(), greedy.end());
    return all;
  }

  std::vector<float> logits() const {
    const auto file = frontend::SafetensorsFile::open(path_ + "/golden.safetensors");
    EXPECT_TRUE(file.ok()) << file.status();
    const frontend::Tensor *tensor = file->find("logits");
    std::vector<float> values(tensor->bytes.size() / sizeof(float));
    std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
    return values;
  }

private:
  std::string path_;
  nlohmann::ordered_json json_;
};

// The text of golden.json's `eval`, as ids without special tokens.
struct EvalText {
  std::vector<int32_t> tokens;
  int32_t bos = -1;
};

inline EvalText evalText(const GoldenFolder &golden) {
  const auto tokenizer = text::Tokenizer::load(
      readTextFile(golden.path() + "/tokenizer.json").value_or(""), "tokenizer.json",
      readTextFile(golden.path() + "/tokenizer_config.json").value_or(""));
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  const auto text =
      readTextFile(golden.path() + "/" + golden.json()["eval"]["file"].get<std::string>());
  const auto tokens = tokenizer->encode(*text, /*add_special=*/false);
  EXPECT_TRUE(tokens.ok()) << tokens.status();
  return {*tokens, tokenizer->bosId().value_or(-1)};
}

} // namespace lathe::golden
