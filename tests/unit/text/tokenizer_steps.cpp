// Each normalizer, pre-tokenizer, post-processor and decoder for itself. What is expected is what
// Hugging Face tokenizers gives; where that crashes, the test says so.
#include "tokenizer_fixture.h"

#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/decoder.h"
#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/pre_tokenizer.h"

namespace lathe::text {
namespace {

using testing::ElementsAre;
using Words = std::vector<std::string>;

std::string normalized(const std::string &json, const std::string &text) {
  TestJson value = TestJson::parse(json);
  SourcedText out{text, 0};
  absl::Status status = Normalizer::read(JsonField(value, "t"))->apply(out);
  return status.ok() ? out.text : std::string(status.message());
}

TEST(Normalizer, makesTheNormalForms) {
  EXPECT_EQ(normalized(R"({"type": "NFC"})", "a\u0301\u0316"), "\u00e1\u0316");
  EXPECT_EQ(normalized(R"({"type": "NFD"})", "\uac00\u00e9"), "\u1100\u1161e\u0301");
  EXPECT_EQ(normalized(R"({"type": "NFKC"})", "\uff76\uff9e\u338f"), "\u30ackg");
  EXPECT_EQ(normalized(R"({"type": "NFKD"})", "\ufb01\u2460\u00c5\u0316\u0301"),
            "fi1A\u0316\u030a\u0301");
}

TEST(Normalizer, changesCharacters) {
  EXPECT_EQ(normalized(R"({"type": "Lowercase"})", "\u0130STANBUL ΣΑΣ"), "i\u0307stanbul σασ");
  EXPECT_EQ(normalized(R"({"type": "StripAccents"})", "e\u0301a\u0903"), "ea");
  EXPECT_EQ(normalized(R"({"type": "Nmt"})", "a\u0001\tb\u200b\ufeffc"), "a b  c");
  EXPECT_EQ(normalized(R"({"type": "ByteLevel"})", " \u00e9"), "Ġ\u00c3\u00a9");
}

TEST(Normalizer, stripsWhiteSpaceOnTheSidesThatItIsTold) {
  auto strip = [](bool left, bool right, const std::string &text) {
    TestJson json = {{"type", "Strip"}, {"strip_left", left}, {"strip_right", right}};
    return normalized(json.dump(), text);
  };
  EXPECT_EQ(strip(true, false, "\u3000 a \u3000"), "a \u3000");
  EXPECT_EQ(strip(false, true, "\u3000 a \u3000"), "\u3000 a");
  EXPECT_EQ(strip(true, true, " \n "), "");
  EXPECT_EQ(strip(false, true, " \n "), "");
  EXPECT_EQ(strip(false, false, " "), " ");
}

TEST(Normalizer, prependsToWhatIsThere) {
  EXPECT_EQ(normalized(R"({"type": "Prepend", "prepend": "_"})", "a"), "_a");
  EXPECT_EQ(normalized(R"({"type": "Prepend", "prepend": "_"})", ""), "");
}

TEST(Normalizer, replacesTextsAndPatterns) {
  EXPECT_EQ(
      normalized(R"({"type": "Replace", "pattern": {"String": "aa"}, "content": "b"})", "aaac"),
      "bac");
  EXPECT_EQ(
      normalized(R"({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "_"})", "a  b c"),
      "a_b c");
  EXPECT_EQ(normalized(R"({"type": "Replace", "pattern": {"String": ""}, "content": "-"})", "ab"),
            "-a-b-");
}

Words words(const std::string &json, const std::string &text, bool at_start = true) {
  TestJson value = TestJson::parse(json);
  absl::StatusOr<PreTokenizer> pre_tokenizer = PreTokenizer::read(JsonField(value, "t"));
  if (!pre_tokenizer.ok())
    return {std::string(pre_tokenizer.status().message())};
  Pieces pieces{text, {Piece{0, text.size(), at_start, at_start ? 1u : 0u}}};
  absl::Status status = pre_tokenizer->apply(pieces);
  if (!status.ok())
    return {std::string(status.message())};
  Words out;
  for (const Piece &piece : pieces.pieces)
    out.emplace_back(pieces.view(piece));
  return out;
}

Words countdown(const std::string &behavior, bool invert) {
  TestJson json = {{"type", "Split"},
                   {"pattern", {{"String", "-"}}},
                   {"behavior", behavior},
                   {"invert", invert}};
  return words(json.dump(), "the-final--countdown");
}

TEST(PreTokenizer, splitsInFiveWays) {
  EXPECT_THAT(countdown("Removed", false), ElementsAre("the", "final", "countdown"));
  EXPECT_THAT(countdown("Isolated", false),
              ElementsAre("the", "-", "final", "-", "-", "countdown"));
  EXPECT_THAT(countdown("MergedWithPrevious", false),
              ElementsAre("the-", "final-", "-", "countdown"));
  EXPECT_THAT(countdown("MergedWithNext", false), ElementsAre("the", "-final", "-", "-countdown"));
  EXPECT_THAT(countdown("Contiguous", false), ElementsAre("the", "-", "final", "--", "countdown"));
}

TEST(PreTokenizer, splitsInvertedInFiveWays) {
  EXPECT_THAT(countdown("Removed", true), ElementsAre("-", "-", "-"));
  EXPECT_THAT(countdown("Isolated", true), ElementsAre("the", "-", "final", "-", "-", "countdown"));
  EXPECT_THAT(countdown("MergedWithPrevious", true),
              ElementsAre("the", "-final", "-", "-countdown"));
  EXPECT_THAT(countdown("MergedWithNext", true), ElementsAre("the-", "final-", "-", "countdown"));
  EXPECT_THAT(countdown("Contiguous", true), ElementsAre("the", "-", "final", "--", "countdown"));
}

TEST(PreTokenizer, cutsByKindsOfCharacters) {
  EXPECT_THAT(words(R"({"type": "Digits", "individual_digits": true})", "a12b٣"),
              ElementsAre("a", "1", "2", "b", "٣"));
  EXPECT_THAT(words(R"({"type": "Digits", "individual_digits": false})", "a12b٣½"),
              ElementsAre("a", "12", "b", "٣½"));
  EXPECT_THAT(words(R"({"type": "Punctuation"})", "a,b$!¿c"),
              ElementsAre("a", ",", "b", "$", "!", "¿", "c"));
  EXPECT_THAT(words(R"({"type": "Whitespace"})", "Hé_1 +-a\u200d b"),
              ElementsAre("Hé_1", "+-", "a\u200d", "b"));
  EXPECT_THAT(words(R"({"type": "WhitespaceSplit"})", " a\u3000b\u200b c"),
              ElementsAre("a", "b\u200b", "c"));
  EXPECT_THAT(words(R"({"type": "BertPreTokenizer"})", "a b,c $"),
              ElementsAre("a", "b", ",", "c", "$"));
}

TEST(PreTokenizer, metaspacePrependsWhereItIsTold) {
  auto meta = [](const std::string &scheme, bool split) {
    return TestJson{
        {"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", scheme}, {"split", split}}
        .dump();
  };
  EXPECT_THAT(words(meta("always", true), " a  b"), ElementsAre("▁a", "▁", "▁b"));
  EXPECT_THAT(words(meta("always", false), "a b", false), ElementsAre("▁a▁b"));
  EXPECT_THAT(words(meta("first", false), "a b"), ElementsAre("▁a▁b"));
  EXPECT_THAT(words(meta("first", false), "a b", false), ElementsAre("a▁b"));
  EXPECT_THAT(words(meta("never", true), "a b"), ElementsAre("a", "▁b"));
}

TEST(PreTokenizer, byteLevelSpellsBytes) {
  EXPECT_THAT(words(R"({"type": "ByteLevel", "add_prefix_space": true})", "it's\né"),
              ElementsAre("Ġit", "'s", "Ċ", "Ã©"));
  EXPECT_THAT(
      words(R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false})", "a b"),
      ElementsAre("aĠb"));
}

std::string decoded(const std::string &json, const Words &tokens) {
  TestJson value = TestJson::parse(json);
  return *Decoder::read(JsonField(value, "t"))->apply(tokens);
}

TEST(Decoder, bytesThatMakeNoCharacterAreOneReplacementEach) {
  EXPECT_EQ(decoded(R"({"type": "ByteFallback"})",
                    {"a", "<0xE6>", "<0x97>", "<0xA5>", "b", "<0xE6>", "<0x97>", "c"}),
            "a日b\uFFFD\uFFFDc");
  EXPECT_EQ(decoded(R"({"type": "ByteFallback"})",
                    {"a", "<0xE6>", "<0x97>", "<0xA5>", "<0xE6>", "b", "<0xZZ>", "<0x+A>"}),
            "a\uFFFD\uFFFD\uFFFD\uFFFDb<0xZZ>\n");
}

TEST(Decoder, byteLevelTakesForeignTokensAsTheyAre) {
  EXPECT_EQ(decoded(R"({"type": "ByteLevel"})", {"Ġa", "日 Ġ", "Ã", "©", "Ã"}), " a日 Ġé\uFFFD");
}

TEST(Decoder, stripsSoManyOnEachSide) {
  // Hugging Face's crashes on a token shorter than `stop`.
  EXPECT_EQ(
      decoded(R"({"type": "Strip", "content": " ", "start": 1, "stop": 2})", {"  a   ", "b", " "}),
      " a b");
}

TEST(Decoder, metaspaceDropsTheFirstMark) {
  EXPECT_EQ(decoded(R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"})",
                    {"▁a▁", "▁b"}),
            "a b");
  EXPECT_EQ(decoded(R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"})",
                    {"▁a▁", "▁b"}),
            " a  b");
}

TEST(Decoder, endsOfWordsBecomeSpacesButForTheLast) {
  EXPECT_EQ(decoded(R"({"type": "BPEDecoder", "suffix": "</w>"})", {"a</w>", "b</w>"}), "a b");
}

TEST(Decoder, withoutOneTokensHaveSpacesBetweenThem) {
  TestJson json = letters();
  json["decoder"] = nullptr;
  EXPECT_EQ(*load(json)->decode({0, 1}, false), "a b");
}

TEST(PostProcessor, putsIdsAround) {
  TestJson json = letters();
  json["post_processor"] = TestJson::parse(
      R"({"type": "RobertaProcessing", "cls": ["c", 2], "sep": ["d", 3], "trim_offsets": true})");
  EXPECT_THAT(*load(json)->encode("a", true), ElementsAre(2, 0, 3));
  EXPECT_THAT(*load(json)->encode("a", false), ElementsAre(0));
}

Ids withAdded(TestJson token, const std::string &text, TestJson normalizer = nullptr) {
  TestJson json = letters();
  json["normalizer"] = std::move(normalizer);
  json["added_tokens"] = {std::move(token)};
  return *load(json)->encode(text, false);
}

TEST(AddedTokens, singleWordStandsAlone) {
  TestJson token = addedToken(7, "ab");
  token["id"] = 4; // the vocabulary's own
  token["single_word"] = true;
  EXPECT_THAT(withAdded(token, "abc"), ElementsAre(5));
  EXPECT_THAT(withAdded(token, "ab.c"), ElementsAre(4, 2));
}

TEST(AddedTokens, takesWhiteSpaceWithIt) {
  TestJson json = letters();
  json["model"]["vocab"][" "] = 7;
  json["added_tokens"] = {addedToken(8, "<l>"), addedToken(9, "<r>")};
  json["added_tokens"][0]["lstrip"] = true;
  json["added_tokens"][1]["rstrip"] = true;
  Tokenizer tokenizer = *load(json);
  EXPECT_THAT(*tokenizer.encode("a <l> b", false), ElementsAre(0, 8, 7, 1));
  EXPECT_THAT(*tokenizer.encode("a <r> b", false), ElementsAre(0, 7, 9, 1));
  EXPECT_THAT(*tokenizer.encode("<r>  <l>", false), ElementsAre(9, 8));
}

TEST(AddedTokens, normalizedOnesAreFoundInTheNormalizedText) {
  TestJson token = addedToken(7, "XY");
  EXPECT_THAT(withAdded(token, "xyXY", {{"type", "Lowercase"}}), ElementsAre(7));
  token["normalized"] = true;
  EXPECT_THAT(withAdded(token, "xyXYa", {{"type", "Lowercase"}}), ElementsAre(7, 7, 0));
}

TEST(AddedTokens, theLongestOfTheLeftmostWins) {
  TestJson json = letters();
  json["added_tokens"] = {addedToken(7, "<a"), addedToken(8, "<a><b>"), addedToken(9, "<a>")};
  Tokenizer tokenizer = *load(json);
  EXPECT_THAT(*tokenizer.encode("<a><b><a><a", false), ElementsAre(8, 9, 7));
}

TEST(AddedTokens, onlySpecialOnesAreLeftOutByDecoding) {
  TestJson json = letters();
  json["added_tokens"] = {addedToken(7, "<s>"), addedToken(8, "<t>")};
  json["added_tokens"][1]["special"] = false;
  Tokenizer tokenizer = *load(json);
  EXPECT_EQ(*tokenizer.decode({7, 0, 8}, true), "a<t>");
  EXPECT_EQ(*tokenizer.decode({7, 0, 8}, false), "<s>a<t>");
}

TEST(Bpe, unknownCharactersFuseAndBytesOvertakeThem) {
  TestJson json = letters();
  json["model"]["vocab"]["<unk>"] = 7;
  json["model"]["vocab"]["<0x78>"] = 8; // x
  json["model"]["unk_token"] = "<unk>";
  EXPECT_THAT(*load(json)->encode("ayya", false), ElementsAre(0, 7, 7, 0));
  json["model"]["fuse_unk"] = true;
  EXPECT_THAT(*load(json)->encode("ayya", false), ElementsAre(0, 7, 0));
  json["model"]["byte_fallback"] = true;
  EXPECT_THAT(*load(json)->encode("ayxa", false), ElementsAre(0, 8, 7, 0));
}

TEST(Bpe, ignoreMergesTakesAWholeWordThatNoMergeReaches) {
  TestJson json = letters();
  json["model"]["vocab"]["dcb"] = 7;
  EXPECT_THAT(*load(json)->encode("dcb", false), ElementsAre(3, 2, 1));
  json["model"]["ignore_merges"] = true;
  EXPECT_THAT(*load(json)->encode("dcb", false), ElementsAre(7));
}

TEST(Unigram, takesTheBestCut) {
  EXPECT_THAT(*load(unigramLetters())->encode("abba", false), ElementsAre(3, 2, 1));
}

TEST(Unigram, neighbouringUnknownCharactersAreOneTokenOrTheirBytes) {
  TestJson json = unigramLetters();
  EXPECT_THAT(*load(json)->encode("axxxa", false), ElementsAre(1, 0, 1));
  json["model"]["byte_fallback"] = true;
  EXPECT_THAT(*load(json)->encode("axxa", false), ElementsAre(1, 4, 4, 1));
  EXPECT_THAT(*load(json)->encode("axya", false), ElementsAre(1, 0, 1)); // no byte for y
}

} // namespace
} // namespace lathe::text
