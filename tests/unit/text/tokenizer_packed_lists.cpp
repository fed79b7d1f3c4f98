// The fast reader of the long lists: what it takes, and what it leaves to the general one.
#include "tokenizer_fixture.h"

#include "text/tokenizer/packed_lists.h"

namespace lathe::text {
namespace {

std::optional<std::string> rest(const std::string &text, Document &document) {
  return takePackedLists(text, document);
}

bool takes(const std::string &text) {
  Document document;
  return rest(text, document).has_value();
}

TEST(PackedLists, takesBothListsAndLeavesNull) {
  Document document;
  EXPECT_EQ(rest(R"({"a": [1, {"x": "}"}], "model": {"vocab": {"a": 0, "b": 10} ,
                     "merges": ["a b", ["a", "b"]], "z": 1}})",
                 document),
            R"({"a": [1, {"x": "}"}], "model": {"vocab": null ,
                     "merges": null, "z": 1}})");
  ASSERT_EQ(document.vocabulary.size(), 2u);
  EXPECT_EQ(document.vocabulary[1].token, "b");
  EXPECT_EQ(document.vocabulary[1].id, 10);
  ASSERT_EQ(document.merges.size(), 2u);
  EXPECT_TRUE(document.merges[0].legacy);
  EXPECT_EQ(document.merges[0].left, "a b");
  EXPECT_EQ(document.merges[1].right, "b");
}

TEST(PackedLists, decodesEscapes) {
  Document document;
  ASSERT_TRUE(rest(R"({"model": {"vocab": {"\"\\\/\n\u00e9\u20AC\u0000": 0}}})", document));
  EXPECT_EQ(document.vocabulary[0].token, absl::string_view("\"\\/\n\u00e9\u20AC\0", 10));
}

TEST(PackedLists, leavesWhatIsUnusualToTheGeneralReader) {
  EXPECT_FALSE(takes(R"({"model": {"vocab": {"\ud83d\ude00": 0}}})")); // a pair of surrogates
  EXPECT_FALSE(takes(R"({"model": {"vocab": {"a": 01}}})"));
  EXPECT_FALSE(takes(R"({"model": {"vocab": {"a": 1.0}}})"));
  EXPECT_FALSE(takes(R"({"model": {"vocab": {"a": -1}}})"));
  EXPECT_FALSE(takes(R"({"model": {"vocab": {"a": 2097152}}})"));
  EXPECT_FALSE(takes(R"({"model": {"vocab": {"a": 0,}}})"));
  EXPECT_FALSE(takes(R"({"model": {"vocab": {}, "vocab": {}}})"));
  EXPECT_FALSE(takes(R"({"model": {"vocab": {}}, "model": {}})"));
  EXPECT_FALSE(takes(R"({"model": {"vocab": [["a", 0]]}})"));
  EXPECT_FALSE(takes(R"({"model": {"vocab": {}, "merges": [["a"]]}})"));
  EXPECT_FALSE(takes(R"({"model": {"vocab": {}}} x)"));
  EXPECT_FALSE(takes("{\"model\": {\"vocab\": {\"a\nb\": 0}}}"));
  EXPECT_FALSE(takes("{\"model\": {\"vocab\": {\"\xff\": 0}}}"));
  EXPECT_FALSE(takes(R"({"model": {"vocab": {"a": 0)"));
  EXPECT_FALSE(takes("{\"a\": " + std::string(100000, '[')));
}

TEST(PackedLists, bothReadersGiveTheSameTokenizer) {
  TestJson json = letters();
  std::string ascii = json.dump(-1, ' ', /*ensure_ascii=*/true), plain = json.dump();
  // A pair of surrogates sends the whole file to the general reader.
  json["model"]["vocab"]["😀"] = 7;
  std::string general = json.dump(-1, ' ', /*ensure_ascii=*/true);
  EXPECT_FALSE(takes(general));
  for (const std::string &text : {ascii, plain, general}) {
    absl::StatusOr<Tokenizer> tokenizer = Tokenizer::load(text, "tokenizer.json");
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    EXPECT_EQ(*tokenizer->encode("abcd▁a", false), (Ids{5, 3, 6, 0}));
  }
  EXPECT_EQ(*Tokenizer::load(general, "t")->encode("😀", false), Ids{7});
}

} // namespace
} // namespace lathe::text
