// What is wrong with a tokenizer.json, told with the place and what should stand there.
#include "tokenizer_fixture.h"

#include "absl/strings/str_cat.h"

namespace lathe::text {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string refusalOf(const std::string &text) {
  return refusal(Tokenizer::load(text, "tokenizer.json"));
}

TEST(TokenizerRefusals, brokenJsonSaysWhere) {
  EXPECT_THAT(refusalOf("{\"model\": "), StartsWith("tokenizer.json: not valid JSON: "));
  EXPECT_THAT(refusalOf(""), StartsWith("tokenizer.json: not valid JSON: "));
  EXPECT_THAT(refusalOf("{\"a\": \"\xff\"}"), HasSubstr("not valid JSON"));
  EXPECT_EQ(refusalOf("[1]"), "tokenizer.json: is not a JSON object; should be a tokenizer.json");
}

TEST(TokenizerRefusals, deepNesting) {
  std::string deep(100000, '[');
  EXPECT_EQ(refusalOf("{\"model\": " + deep), "tokenizer.json: nested deeper than 64 levels");
}

TEST(TokenizerRefusals, aKeyThatStandsTwice) {
  EXPECT_EQ(refusalOf(R"({"version": "1.0", "version": "1.0"})"),
            "tokenizer.json: the key 'version' stands twice in one object");
  EXPECT_EQ(refusalOf(R"({"model": {"vocab": {}, "vocab": {}}})"),
            "tokenizer.json: the key 'vocab' stands twice in one object");
}

TEST(TokenizerRefusals, aVocabularyOfMillions) {
  std::string text = "{\"model\": {\"type\": \"BPE\", \"merges\": [], \"vocab\": {";
  for (int i = 0; i < (1 << 21) + 1; ++i)
    absl::StrAppend(&text, i ? ",\"" : "\"", i, "\":", i);
  EXPECT_EQ(refusalOf(text + "}}}"),
            "tokenizer.json: model.vocab: has more than 2097152 tokens, the most that is read");
}

TEST(TokenizerRefusals, aMillionValuesBesideTheVocabulary) {
  std::string text = "{\"added_tokens\": [0";
  for (int i = 0; i < 1100000; ++i)
    text += ",0";
  EXPECT_EQ(refusalOf(text + "]}"),
            "tokenizer.json: holds more than 1048576 values beside the vocabulary");
}

struct Case {
  const char *name;
  const char *pointer; // what is replaced in letters(), or with a leading '-' in unigramLetters()
  const char *value;   // JSON
  const char *message; // behind "tokenizer.json: "
};

class OneFieldWrong : public testing::TestWithParam<Case> {};

TEST_P(OneFieldWrong, isNamedWithItsPlace) {
  bool unigram = GetParam().pointer[0] == '-';
  TestJson json = unigram ? unigramLetters() : letters();
  TestJson::json_pointer pointer(GetParam().pointer + unigram);
  json[pointer] = TestJson::parse(GetParam().value);
  EXPECT_THAT(refusal(load(json)),
              StartsWith(std::string("tokenizer.json: ") + GetParam().message));
}

const Case kCases[] = {
    {"version", "/version", "\"2.0\"", "version: is '2.0'; should be '1.0'"},
    {"versionType", "/version", "1", "version: is a number; should be a string"},
    {"wordPiece", "/model/type", "\"WordPiece\"",
     "model: type: is 'WordPiece', which is not supported; known are BPE and Unigram"},
    {"wordLevel", "/model/type", "\"WordLevel\"", "model: type: is 'WordLevel', which is not"},
    {"modelType", "/model", "[]", "model: is a list; should be an object with the key 'type'"},
    {"noType", "/model", "{}", "model.type: is missing"},
    {"vocabShape", "/model/vocab", "[[\"a\", 1]]",
     "model: vocab: should be an object of ids for a BPE model"},
    {"vocabNull", "/model/vocab", "null", "model: vocab: should be an object of ids"},
    {"vocabId", "/model/vocab/b", "\"1\"", "model.vocab['b']: is a string; should be an id"},
    {"vocabIdList", "/model/vocab/b", "[1]", "model.vocab['b']: is a list; should be an id"},
    {"vocabIdObject", "/model/vocab/b", "{}", "model.vocab['b']: is an object; should be an id"},
    {"vocabIdNull", "/model/vocab/b", "null", "model.vocab['b']: is null or a boolean; should be"},
    {"vocabIdReal", "/model/vocab/b", "1.5", "model.vocab['b']: is a number; should be an id"},
    {"vocabIdNegative", "/model/vocab/b", "-1",
     "model.vocab['b']: is -1; should be an id from 0 to 2097151"},
    {"vocabIdLarge", "/model/vocab/b", "2097152", "model.vocab['b']: is 2097152; should be an id"},
    {"vocabIdHuge", "/model/vocab/b", "18446744073709551615",
     "model.vocab['b']: is 922337203685477"},
    {"vocabIdTwice", "/model/vocab/b", "0",
     "model.vocab: the id 0 belongs to two tokens, 'a' and 'b'"},
    {"mergesNull", "/model/merges", "null", "model: merges: is missing or no list"},
    {"mergesObject", "/model/merges", "{\"a\": 1}", "model: merges: is missing or no list"},
    {"mergeNumber", "/model/merges/1", "1", "model.merges[1]: is a number; should be a pair"},
    {"mergeObject", "/model/merges/1", "{}", "model.merges[1]: is an object; should be a pair"},
    {"mergeShort", "/model/merges/1", "[\"a\"]", "model.merges[1]: has 1 elements; should have 2"},
    {"mergeLong", "/model/merges/1", "[\"a\", \"b\", \"c\"]", "model.merges[1]: has 3 elements"},
    {"mergeNested", "/model/merges/1", "[[\"a\"], \"b\"]", "model.merges[1]: is a list; should be"},
    {"mergeOneWord", "/model/merges/0", "\"ab\"",
     "model: merges[0]: is 'ab'; should be two tokens with one space between them"},
    {"mergeThreeWords", "/model/merges/0", "\"a b c\"", "model: merges[0]: is 'a b c'; should be"},
    {"mergeLeft", "/model/merges/0", "\"x b\"",
     "model: merges[0]: names 'x', which is not in the vocabulary"},
    {"mergeRight", "/model/merges/0", "[\"a\", \"x\"]",
     "model: merges[0]: names 'x', which is not"},
    {"mergeResult", "/model/merges/0", "\"b a\"", "model: merges[0]: names 'ba', which is not in"},
    {"unkToken", "/model/unk_token", "\"<unk>\"",
     "model.unk_token: is '<unk>', which is not in the vocabulary"},
    {"dropout", "/model/dropout", "0.1", "model.dropout: is set; only null or 0 is supported"},
    {"prefix", "/model/continuing_subword_prefix", "\"##\"",
     "model.continuing_subword_prefix: is '##'; only null is supported"},
    {"suffix", "/model/end_of_word_suffix", "\"</w>\"",
     "model.end_of_word_suffix: is '</w>'; only null is supported"},
    {"fuseUnk", "/model/fuse_unk", "1", "model.fuse_unk: is a number; should be true or false"},

    {"unigramShape", "-/model/vocab", "{\"a\": 0}",
     "model: vocab: should be a list of [token, score] for a Unigram model"},
    {"unigramEntry", "-/model/vocab/1", "\"a\"",
     "model.vocab[1]: is a string; should be a pair [token, score]"},
    {"unigramNumber", "-/model/vocab/1", "7", "model.vocab[1]: is a number; should be a pair"},
    {"unigramScore", "-/model/vocab/1", "[\"a\", \"b\"]",
     "model.vocab[1]: is a string; should be a score behind the token"},
    {"unigramToken", "-/model/vocab/1", "[1, 2]", "model.vocab[1]: is a number; should be a token"},
    {"unigramShort", "-/model/vocab/1", "[\"a\"]", "model.vocab[1]: has 1 elements; should have 2"},
    {"unigramTwice", "-/model/vocab/1", "[\"b\", 0]",
     "model.vocab: the token 'b' stands twice, with the ids 1 and 2"},
    {"unigramUnk", "-/model/unk_id", "5", "model.unk_id: is 5; should be an integer from 0 to 4"},

    {"addedShape", "/added_tokens", "{}", "added_tokens: is an object; should be a list"},
    {"addedEntry", "/added_tokens", "[1]",
     "added_tokens[0]: is a number; should be an object with the key 'content'"},
    {"addedContent", "/added_tokens", "[{\"content\": 1}]",
     "added_tokens[0].content: is a number; should be a string"},
    {"addedSpecial", "/added_tokens", "[{\"content\": \"x\"}]",
     "added_tokens[0].special: is missing"},

    {"normalizerUnknown", "/normalizer", "{\"type\": \"BertNormalizer\"}",
     "normalizer: the normalizer 'BertNormalizer' is not supported; known are NFC"},
    {"normalizerType", "/normalizer", "{\"type\": 3}", "normalizer.type: is a number; should be a"},
    {"normalizerNested", "/normalizer",
     "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {\"type\": \"Prepend\"}]}",
     "normalizer.normalizers[1].prepend: is missing"},
    {"charsmapBase64", "/normalizer",
     "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"!\"}",
     "normalizer.precompiled_charsmap: is not base64"},
    {"charsmapShort", "/normalizer",
     "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AA==\"}",
     "normalizer.precompiled_charsmap: holds 1 bytes; should hold at least 4"},
    {"charsmapTrie", "/normalizer",
     "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"CAAAAAAA\"}",
     "normalizer.precompiled_charsmap: says that its trie has 8 bytes but holds 2"},
    {"replacePattern", "/normalizer", "{\"type\": \"Replace\", \"pattern\": {}, \"content\": \"\"}",
     "normalizer.pattern: should be an object with the key 'String' or 'Regex'"},
    {"replaceRegex", "/normalizer",
     "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"(a\"}, \"content\": \"\"}",
     "normalizer.pattern: the regex '(a' is broken: missing closing parenthesis"},

    {"preTokenizerUnknown", "/pre_tokenizer", "{\"type\": \"UnicodeScripts\"}",
     "pre_tokenizer: the pre-tokenizer 'UnicodeScripts' is not supported; known are Split"},
    {"splitBehavior", "/pre_tokenizer",
     "{\"type\": \"Split\", \"pattern\": {\"String\": \"a\"}, \"behavior\": \"Lost\", \"invert\": "
     "false}",
     "pre_tokenizer.behavior: is 'Lost'; should be Removed, Isolated,"},
    {"splitRegex", "/pre_tokenizer",
     "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"[a&&b]\"}, \"behavior\": \"Removed\","
     " \"invert\": false}",
     "pre_tokenizer.pattern: in the regex '[a&&b]', '&&' in a set at byte 2 is not supported"},
    {"metaspaceMark", "/pre_tokenizer", "{\"type\": \"Metaspace\", \"replacement\": \"ab\"}",
     "pre_tokenizer.replacement: is 'ab'; should be exactly one character"},
    {"metaspaceScheme", "/pre_tokenizer",
     "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"last\"}",
     "pre_tokenizer.prepend_scheme: is 'last'; should be always, first or never"},
    {"metaspaceConflict", "/pre_tokenizer",
     "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"always\","
     " \"add_prefix_space\": false}",
     "pre_tokenizer: has add_prefix_space false but prepend_scheme 'always'; they should agree"},

    {"postUnknown", "/post_processor", "{\"type\": \"Other\"}",
     "post_processor: the post-processor 'Other' is not supported; known are TemplateProcessing"},
    {"postId", "/post_processor",
     "{\"type\": \"BertProcessing\", \"cls\": [\"x\", 99], \"sep\": [\"a\", 0]}",
     "post_processor.cls[1]: is 99; should be the id of a token"},
    {"postSpecial", "/post_processor",
     "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"<s>\"}}],"
     " \"special_tokens\": {}}",
     "post_processor.special_tokens.<s>: is missing"},
    {"postNoText", "/post_processor",
     "{\"type\": \"TemplateProcessing\", \"single\": [], \"special_tokens\": {}}",
     "post_processor.single: has no place for the text"},
    {"postB", "/post_processor",
     "{\"type\": \"TemplateProcessing\", \"single\": [{\"Sequence\": {\"id\": \"B\"}}]}",
     "post_processor.single[0].Sequence: id: is 'B'; should be 'A'"},
    {"postTwice", "/post_processor",
     "{\"type\": \"Sequence\", \"processors\": [{\"type\": \"RobertaProcessing\", \"cls\": [\"a\", "
     "0],"
     " \"sep\": [\"a\", 0]}, {\"type\": \"BertProcessing\"}]}",
     "post_processor.processors[1]: is the second post-processor that adds tokens"},

    {"decoderUnknown", "/decoder", "{\"type\": \"WordPiece\"}",
     "decoder: the decoder 'WordPiece' is not supported; known are ByteLevel"},
    {"decoderStrip", "/decoder",
     "{\"type\": \"Strip\", \"content\": \" \", \"start\": -1, \"stop\": 0}",
     "decoder.start: is -1; should be an integer from 0 to 2147483647"},
};

INSTANTIATE_TEST_SUITE_P(TokenizerRefusals, OneFieldWrong, testing::ValuesIn(kCases),
                         [](const auto &info) { return std::string(info.param.name); });

std::string refusalOfAdded(const std::vector<TestJson> &tokens) {
  TestJson json = letters();
  json["added_tokens"] = tokens;
  return refusal(load(json));
}

TEST(TokenizerRefusals, addedTokensWhoseIdsAreNotWhatTheirPlaceGives) {
  EXPECT_EQ(refusalOfAdded({addedToken(9, "<s>")}),
            "tokenizer.json: added_tokens[0]: id: is 9 for '<s>'; the next free id is 7");
  EXPECT_EQ(refusalOfAdded({addedToken(7, "a")}),
            "tokenizer.json: added_tokens[0]: id: is 7 for 'a'; the vocabulary says 0");
}

TEST(TokenizerRefusals, addedTokensThatCannotBeFound) {
  EXPECT_THAT(refusalOfAdded({addedToken(7, "<s>"), addedToken(8, "<s>")}),
              HasSubstr("added_tokens[1]: the token '<s>' stands twice"));
  EXPECT_THAT(refusalOfAdded({addedToken(7, "")}), HasSubstr("has 0 bytes; should have 1 to 1024"));
  EXPECT_THAT(refusalOfAdded({addedToken(7, std::string(2000, 'x'))}), HasSubstr("has 2000 bytes"));
}

TEST(TokenizerRefusals, addedTokensThatTheNormalizerMakesOne) {
  TestJson json = letters();
  json["normalizer"] = {{"type", "Lowercase"}};
  json["added_tokens"] = {addedToken(7, "X"), addedToken(8, "x")};
  for (TestJson &token : json["added_tokens"])
    token["normalized"] = true;
  EXPECT_THAT(refusal(load(json)), HasSubstr("added_tokens: the normalizer makes"));
}

TEST(TokenizerRefusals, sequencesWithoutEnd) {
  TestJson json = letters();
  json["normalizer"] = {{"type", "Sequence"}, {"normalizers", TestJson::array()}};
  for (int i = 0; i < 300; ++i)
    json["normalizer"]["normalizers"].push_back({{"type", "NFC"}});
  EXPECT_EQ(refusal(load(json)),
            "tokenizer.json: normalizer.normalizers[256]: is normalizer 257 of at most 256");
}

TEST(TokenizerRefusals, aConfigThatNamesAbsentTokens) {
  EXPECT_EQ(refusal(load(letters(), R"({"bos_token": "<s>"})")),
            "tokenizer_config.json: bos_token: is '<s>', which is not in the vocabulary");
  EXPECT_EQ(refusal(load(letters(), R"({"eos_token": 3})")),
            "tokenizer_config.json: eos_token: is a number; should be a string");
  EXPECT_THAT(refusal(load(letters(), "{")), StartsWith("tokenizer_config.json: not valid JSON"));
}

} // namespace
} // namespace lathe::text
