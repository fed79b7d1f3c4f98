// The tokenizer as its users see it: hostile texts, ids, threads, long inputs.
#include "tokenizer_fixture.h"

#include <chrono>
#include <thread>

#include "base/file.h"
#include "text/tokenizer/stream.h"

namespace lathe::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string golden(const std::string &file) {
  return *readTextFile(std::string(LATHE_TEST_DATA) + "/tokenizers/" + file);
}

Tokenizer loadGolden(const std::string &folder) {
  return *Tokenizer::load(golden(folder + "/tokenizer.json"), "tokenizer.json",
                          golden(folder + "/tokenizer_config.json"));
}

TEST(Tokenizer, takesMergesInOrder) {
  Tokenizer tokenizer = *load(letters());
  EXPECT_THAT(*tokenizer.encode("abcd", false), ElementsAre(5, 3));
  EXPECT_THAT(*tokenizer.encode("xbabx", false), ElementsAre(1, 4));
  EXPECT_THAT(*tokenizer.encode("", true), ElementsAre());
}

TEST(Tokenizer, unknownIdIsNamedWithTheSizeOfTheVocabulary) {
  Tokenizer tokenizer = *load(letters());
  EXPECT_EQ(tokenizer.decode({0, 7}, false).status().message(),
            "the id 7 is not in the vocabulary of 7 tokens");
  EXPECT_EQ(tokenizer.decode({-1}, false).status().message(),
            "the id -1 is not in the vocabulary of 7 tokens");
  DecodeStream stream(tokenizer, false);
  EXPECT_FALSE(stream.push(99).ok());
  EXPECT_EQ(**stream.push(5), "abc"); // the unknown id left no trace
}

TEST(Tokenizer, holesInTheVocabularyAreUnknown) {
  TestJson json = letters();
  json["model"]["vocab"]["▁"] = 20;
  Tokenizer tokenizer = *load(json);
  EXPECT_EQ(tokenizer.vocabSize(), 21);
  EXPECT_FALSE(tokenizer.decode({10}, false).ok());
  EXPECT_EQ(tokenizer.idToToken(10), std::nullopt);
  EXPECT_EQ(*tokenizer.decode({20}, false), "▁");
}

TEST(Tokenizer, findsTokensByTextAndById) {
  Tokenizer tokenizer = loadGolden("llama3");
  EXPECT_EQ(tokenizer.tokenToId("<|begin_of_text|>"), tokenizer.bosId());
  EXPECT_EQ(tokenizer.idToToken(*tokenizer.bosId()), "<|begin_of_text|>");
  EXPECT_EQ(tokenizer.tokenToId("no such token"), std::nullopt);
}

TEST(Tokenizer, readsBosAndEosAsStringsObjectsAndNull) {
  std::string config = R"({"bos_token": {"content": "ab", "special": true}, "eos_token": "c"})";
  Tokenizer tokenizer = *load(letters(), config);
  EXPECT_EQ(tokenizer.bosId(), 4);
  EXPECT_EQ(tokenizer.eosId(), 2);
  EXPECT_EQ(load(letters(), R"({"bos_token": null})")->bosId(), std::nullopt);
  EXPECT_EQ(load(letters())->eosId(), std::nullopt);
}

TEST(Tokenizer, bytesThatAreNotUtf8CountAsReplacementCharacters) {
  Tokenizer tokenizer = loadGolden("gpt2");
  auto ids = [&](const std::string &text) { return *tokenizer.encode(text, false); };
  EXPECT_EQ(ids("a\xff"
                "b"),
            ids("a\uFFFD"
                "b"));
  EXPECT_EQ(ids("\xe6\x97"), ids("\uFFFD"));                 // a cut character
  EXPECT_EQ(ids("\xe6\x97x\xf0\x9f"), ids("\uFFFDx\uFFFD")); // two of them
  EXPECT_EQ(ids("\xed\xa0\x80"), ids("\uFFFD\uFFFD\uFFFD")); // a surrogate
  EXPECT_EQ(ids("\xc0\xaf"), ids("\uFFFD\uFFFD"));           // too long a spelling
  EXPECT_EQ(ids("\xf4\x90\x80\x80"), ids("\uFFFD\uFFFD\uFFFD\uFFFD"));
}

TEST(Tokenizer, keepsZeroBytes) {
  Tokenizer tokenizer = loadGolden("gpt2");
  std::string text("a\0b", 3);
  EXPECT_EQ(*tokenizer.decode(*tokenizer.encode(text, false), false), text);
}

TEST(Tokenizer, streamsWholeCharactersAndGivesTheRestAtTheEnd) {
  Tokenizer tokenizer = loadGolden("gpt2");
  Ids ids;
  for (const char *byte : {"æ", "Ĺ", "¥"}) // the bytes of 日
    ids.push_back(*tokenizer.tokenToId(byte));
  DecodeStream stream(tokenizer, false);
  EXPECT_EQ(*stream.push(ids[0]), std::nullopt);
  EXPECT_EQ(*stream.push(ids[1]), std::nullopt);
  EXPECT_EQ(*stream.push(ids[2]), "日");
  EXPECT_EQ(*stream.push(ids[0]), std::nullopt);
  EXPECT_EQ(*stream.flush(), "\uFFFD");
  EXPECT_EQ(*stream.flush(), "");
}

TEST(Tokenizer, unknownCharacterWithoutUnknownTokenFailsInUnigram) {
  TestJson json = unigramLetters();
  json["model"]["unk_id"] = nullptr;
  EXPECT_THAT(std::string(load(json)->encode("ax", false).status().message()),
              HasSubstr("the text holds 'x', which no token has, and model.unk_id is null"));
}

TEST(Tokenizer, normalizersThatGrowWithoutBoundAreStopped) {
  TestJson json = letters();
  json["normalizer"] = {{"type", "Sequence"}, {"normalizers", TestJson::array()}};
  for (int i = 0; i < 64; ++i)
    json["normalizer"]["normalizers"].push_back(
        {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}});
  absl::Status status = load(json)->encode("a", false).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("makes"));
}

TEST(Tokenizer, hostilePatternBecomesAnErrorNotAHang) {
  TestJson json = letters();
  json["pre_tokenizer"] = {{"type", "Split"},
                           {"pattern", {{"Regex", "(a+)+[bc]"}}},
                           {"behavior", "Isolated"},
                           {"invert", false}};
  absl::Status status = load(json)->encode(std::string(5000, 'a'), false).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
}

TEST(Tokenizer, manyThreadsGetTheSameIds) {
  Tokenizer tokenizer = loadGolden("deepseek_v3");
  const Ids expected = *tokenizer.encode("Ein Satz mit 12345 Zahlen.", true);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round)
        EXPECT_EQ(*tokenizer.encode("Ein Satz mit 12345 Zahlen.", true), expected);
    });
  for (std::thread &thread : threads)
    thread.join();
}

class MegabyteOf : public testing::TestWithParam<const char *> {};

// Generous, so that it holds under a sanitizer on a busy machine; a quadratic step takes far
// longer.
TEST_P(MegabyteOf, isEncodedInSeconds) {
  std::string text;
  while (text.size() < (1u << 20))
    text += GetParam();
  for (const char *folder : {"llama3", "deepseek_v2", "llama2", "yi", "unigram", "added"}) {
    Tokenizer tokenizer = loadGolden(folder);
    auto begin = std::chrono::steady_clock::now();
    absl::StatusOr<Ids> ids = tokenizer.encode(text, false);
    EXPECT_TRUE(ids.ok()) << folder << ": " << ids.status();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60)) << folder;
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizer, MegabyteOf,
                         testing::Values("a", "The quick brown fox. ", "\n", "日本語", "1",
                                         "\u0301\u0316", "<|", "!"));

} // namespace
} // namespace lathe::text
