#include "tools/lathe/nearest.h"

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

const std::vector<std::string> kFlags = {"--prompt", "--prompt-file", "--tokens", "--top-k",
                                         "--top-p",  "--seed",        "--stats"};

TEST(EditDistance, countsInsertedDroppedReplacedAndSwappedCharacters) {
  EXPECT_EQ(editDistance("prompt", "prompt"), 0);
  EXPECT_EQ(editDistance("promt", "prompt"), 1);
  EXPECT_EQ(editDistance("promptt", "prompt"), 1);
  EXPECT_EQ(editDistance("prombt", "prompt"), 1);
  EXPECT_EQ(editDistance("porompt", "prompt"), 1);
  EXPECT_EQ(editDistance("rpompt", "prompt"), 1);
  EXPECT_EQ(editDistance("", "abc"), 3);
  EXPECT_EQ(editDistance("abc", ""), 3);
}

TEST(Nearest, findsWhatIsMisspelt) {
  EXPECT_EQ(nearest("--promt", kFlags), "--prompt");
  EXPECT_EQ(nearest("--toknes", kFlags), "--tokens");
  EXPECT_EQ(nearest("--prompt_file", kFlags), "--prompt-file");
}

TEST(Nearest, takesABeginningForTheWhole) { EXPECT_EQ(nearest("--stat", kFlags), "--stats"); }

TEST(Nearest, takesTheFirstOfEquals) { EXPECT_EQ(nearest("--top", kFlags), "--top-k"); }

TEST(Nearest, namesNothingThatIsFarAway) {
  EXPECT_EQ(nearest("--frobnicate", kFlags), "");
  EXPECT_EQ(nearest("", kFlags), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), kFlags), "");
}

TEST(DidYouMean, isEmptyWithoutAGuess) {
  EXPECT_EQ(didYouMean("--sead", kFlags), "; did you mean --seed?");
  EXPECT_EQ(didYouMean("--frobnicate", kFlags), "");
}

} // namespace
} // namespace lathe::cli
