// Regular expressions as Oniguruma reads them, and none that runs for ever. The expected matches
// are what Hugging Face tokenizers gives.
#include "tokenizer_fixture.h"

#include "text/tokenizer/oniguruma.h"
#include "text/tokenizer/regex.h"

namespace lathe::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Words = std::vector<std::string>;

Words matches(const std::string &pattern, const std::string &text) {
  absl::StatusOr<Regex> regex = Regex::compile(pattern);
  if (!regex.ok())
    return {std::string(regex.status().message())};
  absl::StatusOr<std::vector<Range>> found = regex->findAll(text);
  if (!found.ok())
    return {std::string(found.status().message())};
  Words out;
  for (Range range : *found)
    out.push_back(text.substr(range.begin, range.end - range.begin));
  return out;
}

TEST(Regex, cutsAsTheLlama3Pattern) {
  EXPECT_THAT(matches(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
                      R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
                      "It'S 12345  días!\n\n x"),
              ElementsAre("It", "'S", " ", "123", "45", " ", " días", "!\n\n", " x"));
}

TEST(Regex, whiteSpaceIsThePropertyOfThatName) {
  EXPECT_THAT(matches(R"(\s)", "a\u180eb\u0085c\u200bd\u3000e"), ElementsAre("\u0085", "\u3000"));
  EXPECT_THAT(matches(R"([\S]+)", "a\u180eb\u0085c"), ElementsAre("a\u180eb", "c"));
}

TEST(Regex, wordCharactersHaveMarksAndConnectors) {
  EXPECT_THAT(matches(R"(\w+)", "a\u0301b_\u203fc\u200dd\u2160\u00b2\u24b6 \u2460"),
              ElementsAre("a\u0301b_\u203fc", "d\u2160\u00b2\u24b6"));
  EXPECT_THAT(matches(R"([\w]+)", "a\u00b2"), ElementsAre("a"));
  EXPECT_THAT(matches(R"(\bfoo\b)", "foo foo\u0301 a"), ElementsAre("foo"));
}

TEST(Regex, quantifiersRepeatTheRepeat) {
  EXPECT_THAT(matches(R"(\p{N}{1,3}+)", "1234567"), ElementsAre("1234567"));
  EXPECT_THAT(matches(R"((?:ab|c){2}?)", "abcc"), ElementsAre("abc", ""));
  EXPECT_THAT(matches(R"(\d{,2}x)", "123x"), ElementsAre("23x"));
  EXPECT_THAT(matches(R"(a**b)", "aab"), ElementsAre("aab"));
  EXPECT_THAT(matches(R"(a{,}b{x)", "a{,}b{x"), ElementsAre("a{,}b{x"));
}

TEST(Regex, setsWithinSetsAreOneSet) {
  EXPECT_THAT(matches(R"([^(\s|[.,!?])]+)", "ab,c (d|e"), ElementsAre("ab", "c", "d", "e"));
  EXPECT_THAT(matches(R"([a-c[x-z]]+)", "abxyq"), ElementsAre("abxy"));
  EXPECT_THAT(matches(R"([]a]+)", "a]b"), ElementsAre("a]"));
  EXPECT_THAT(matches(R"([\w-]+)", "a-b c"), ElementsAre("a-b", "c"));
  EXPECT_THAT(matches(R"([[:punct:]]+)", "a$+!_b"), ElementsAre("$+!_"));
}

TEST(Regex, lettersThatMeanSomethingElseInPcre) {
  EXPECT_THAT(matches(R"(\h+)", "xaf9 g"), ElementsAre("af9"));
  EXPECT_THAT(matches(R"((?m:a.b))", "a\nb"), ElementsAre("a\nb"));
  EXPECT_THAT(matches(R"(\u3042)", "aあ"), ElementsAre("あ"));
  EXPECT_THAT(matches(R"(\p{^L}+)", "ab12"), ElementsAre("12"));
  EXPECT_THAT(matches(R"(\p{Han}+)", "漢字ー々"), ElementsAre("漢字", "々"));
  EXPECT_THAT(matches(R"(\s+$)", "a \nb \n"), ElementsAre(" ", " \n"));
}

TEST(Regex, emptyMatchesDoNotStandBehindAMatch) {
  EXPECT_THAT(matches("x*", "axxb"), ElementsAre("", "xx", ""));
  EXPECT_THAT(matches("", "é"), ElementsAre("", ""));
}

TEST(Regex, whatHasNoTranslationIsRefusedByName) {
  EXPECT_THAT(matches(R"([\W_])", ""), ElementsAre(HasSubstr("'\\W' in a set at byte 1")));
  EXPECT_THAT(matches(R"([a[^b]])", ""), ElementsAre(HasSubstr("a negated set within a set")));
  EXPECT_THAT(matches(R"(\Qa)", ""), ElementsAre(HasSubstr("'\\Q'")));
  EXPECT_THAT(matches("[a", ""), ElementsAre(HasSubstr("a set without an end")));
  EXPECT_THAT(matches("(*UTF)a", ""), ElementsAre(HasSubstr("'(*'")));
  EXPECT_THAT(matches("(?~a)", ""), ElementsAre(HasSubstr("absent operator")));
  EXPECT_THAT(matches("\\", ""), ElementsAre(HasSubstr("a backslash at the end")));
  EXPECT_THAT(matches(std::string(70000, 'a'), ""), ElementsAre(HasSubstr("70000 bytes")));
  EXPECT_THAT(matches("[" + std::string(100, '['), ""), ElementsAre(HasSubstr("nested so deep")));
}

TEST(Regex, backtrackingComesToAnEnd) {
  std::string text(3000, 'a');
  EXPECT_THAT(matches("(a+)+[bc]", text), ElementsAre(HasSubstr("it backtracks without end")));
  EXPECT_THAT(matches("(?:a|a|aa)*[bc]", text),
              ElementsAre(HasSubstr("it backtracks without end")));
}

TEST(Regex, longRunsAreNoBacktracking) {
  std::string spaces(200000, ' ');
  EXPECT_THAT(matches(R"(\s*[\r\n]+|\s+(?!\S)|\s+)", spaces + "x").size(), 2u);
}

} // namespace
} // namespace lathe::text
