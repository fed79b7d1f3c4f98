// Every text and every list of ids that Hugging Face tokenizers was asked about, folder by folder.
#include "text/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "text/tokenizer/stream.h"

namespace lathe::text {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<int32_t>;

std::string folder(const std::string &name) {
  return std::string(LATHE_TEST_DATA) + "/tokenizers/" + name + "/";
}

class TokenizerGolden : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    std::string json = *readTextFile(folder(GetParam()) + "tokenizer.json");
    std::string config = *readTextFile(folder(GetParam()) + "tokenizer_config.json");
    absl::StatusOr<Tokenizer> loaded = Tokenizer::load(json, "tokenizer.json", config);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    tokenizer = std::make_unique<Tokenizer>(*std::move(loaded));
    golden = Json::parse(*readTextFile(folder(GetParam()) + "golden.json"));
  }

  // The pieces of a stream; null where it gives up.
  Json stream(const Ids &ids) {
    DecodeStream stream(*tokenizer, /*skip_special=*/false);
    Json pieces = Json::array();
    for (int32_t id : ids) {
      absl::StatusOr<std::optional<std::string>> piece = stream.push(id);
      if (!piece.ok())
        return nullptr;
      pieces.push_back(*piece ? Json(**piece) : Json(nullptr));
    }
    return pieces;
  }

  std::unique_ptr<Tokenizer> tokenizer;
  Json golden;
};

TEST_P(TokenizerGolden, encodesEveryTextToTheSameIds) {
  for (const Json &text : golden["texts"]) {
    EXPECT_EQ(*tokenizer->encode(text["text"].get<std::string>(), true), text["ids"].get<Ids>())
        << text["text"];
    EXPECT_EQ(*tokenizer->encode(text["text"].get<std::string>(), false),
              text["ids_plain"].get<Ids>())
        << text["text"];
  }
}

TEST_P(TokenizerGolden, decodesTheIdsOfEveryText) {
  for (const Json &text : golden["texts"]) {
    EXPECT_EQ(*tokenizer->decode(text["ids"].get<Ids>(), true), text["decoded"].get<std::string>())
        << text["text"];
    EXPECT_EQ(*tokenizer->decode(text["ids"].get<Ids>(), false),
              text["decoded_all"].get<std::string>())
        << text["text"];
  }
}

TEST_P(TokenizerGolden, streamsTheSamePieces) {
  for (const Json &text : golden["texts"])
    EXPECT_EQ(stream(text["ids_plain"].get<Ids>()), text["stream"]) << text["text"];
}

TEST_P(TokenizerGolden, decodesIdsThatNoTextGives) {
  for (const Json &entry : golden["decode"]) {
    Ids ids = entry["ids"].get<Ids>();
    EXPECT_EQ(*tokenizer->decode(ids, true), entry["decoded"].get<std::string>()) << entry["ids"];
    EXPECT_EQ(*tokenizer->decode(ids, false), entry["decoded_all"].get<std::string>())
        << entry["ids"];
    EXPECT_EQ(stream(ids), entry["stream"]) << entry["ids"];
  }
}

TEST_P(TokenizerGolden, pushAndFlushTogetherGiveTheWholeText) {
  for (const Json &text : golden["texts"]) {
    if (text["stream"].is_null())
      continue;
    DecodeStream stream(*tokenizer, /*skip_special=*/false);
    std::string whole;
    for (int32_t id : text["ids_plain"].get<Ids>())
      whole += stream.push(id)->value_or("");
    EXPECT_EQ(whole + *stream.flush(), *tokenizer->decode(text["ids_plain"].get<Ids>(), false))
        << text["text"];
  }
}

TEST_P(TokenizerGolden, everyIdHasATokenThatHasTheId) {
  for (int32_t id = 0; id < tokenizer->vocabSize(); ++id)
    EXPECT_EQ(tokenizer->tokenToId(*tokenizer->idToToken(id)), id);
}

INSTANTIATE_TEST_SUITE_P(Folders, TokenizerGolden,
                         testing::Values("llama3", "qwen2", "deepseek_v3", "deepseek_v2", "llama2",
                                         "yi", "unigram", "unigram_nfkc", "gpt2", "gpt2_prefix",
                                         "glm4", "added"),
                         [](const auto &info) { return std::string(info.param); });

} // namespace
} // namespace lathe::text
