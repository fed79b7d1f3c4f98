#include "tools/lathe/text_output.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "tools/lathe/text_files.h"

namespace lathe::cli {
namespace {

using Ids = std::vector<int32_t>;
using testing::ElementsAre;
using testing::HasSubstr;

class TextOutputTest : public testing::Test {
protected:
  text::Tokenizer tokenizer = *loadTokenizer(*readTextFiles(LATHE_TEST_DATA "/stories_mla"));
  std::vector<std::string> shown;
  TextOutput::Sink sink = [this](absl::string_view text) { shown.emplace_back(text); };

  Ids encode(absl::string_view text) { return *tokenizer.encode(text, false); }
};

TEST_F(TextOutputTest, showsEachWordAsItComes) {
  TextOutput output(tokenizer, {}, sink);
  output.follow(*tokenizer.encode("Once upon a time", true));
  for (int32_t id : {432, 383, 286}) // "," " there" " was"
    EXPECT_TRUE(*output.push(id));
  EXPECT_TRUE(output.finish().ok());
  EXPECT_THAT(shown, ElementsAre(",", " there", " was"));
  EXPECT_EQ(output.text(), ", there was");
}

TEST_F(TextOutputTest, keepsTheSpaceOfAWordThatFollowsOthers) {
  TextOutput output(tokenizer, {}, sink);
  output.follow(Ids{1, 403});
  EXPECT_TRUE(*output.push(383));
  EXPECT_THAT(shown, ElementsAre(" there"));
}

TEST_F(TextOutputTest, endsBeforeAStopTextThatTwoTokensMake) {
  TextOutput output(tokenizer, {"re wa"}, sink);
  output.follow(Ids{1, 403});
  EXPECT_TRUE(*output.push(383));
  EXPECT_FALSE(*output.push(286));
  EXPECT_TRUE(output.finish().ok());
  EXPECT_EQ(output.text(), " the");
}

TEST_F(TextOutputTest, showsAtTheEndWhatAStopTextHeldBack) {
  TextOutput output(tokenizer, {"there was not"}, sink);
  output.follow(Ids{1, 403});
  EXPECT_TRUE(*output.push(383));
  EXPECT_TRUE(output.finish().ok());
  EXPECT_EQ(output.text(), " there");
}

TEST_F(TextOutputTest, putsTheBytesOfACharacterTogether) {
  TextOutput output(tokenizer, {}, sink);
  for (int32_t id : encode("a\xc3\xa9"))
    EXPECT_TRUE(*output.push(id));
  EXPECT_TRUE(output.finish().ok());
  EXPECT_THAT(output.text(), HasSubstr("\xc3\xa9"));
  for (const std::string &piece : shown)
    EXPECT_NE(piece, "\xc3");
}

TEST_F(TextOutputTest, hasNoTextForAnIdBeyondTheVocabulary) {
  TextOutput output(tokenizer, {}, sink);
  EXPECT_TRUE(*output.push(tokenizer.vocabSize()));
  EXPECT_TRUE(output.finish().ok());
  EXPECT_EQ(output.text(), "");
}

TEST_F(TextOutputTest, showsNothingOfThePromptWhereNothingFollows) {
  TextOutput output(tokenizer, {}, sink);
  output.follow(encode("Once upon"));
  EXPECT_TRUE(output.finish().ok());
  EXPECT_EQ(output.text(), "");
}

} // namespace
} // namespace lathe::cli
