#include "tools/lathe/token_list.h"

#include <gmock/gmock.h>

#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

using testing::ElementsAre;

std::string refusalOf(absl::string_view text) {
  absl::Status status = parseTokenList(text).status();
  EXPECT_TRUE(isUsageError(status));
  return std::string(status.message());
}

TEST(ParseTokenList, readsIdsBetweenCommas) {
  EXPECT_THAT(*parseTokenList("1,5,9"), ElementsAre(1, 5, 9));
  EXPECT_THAT(*parseTokenList(" 1, 5"), ElementsAre(1, 5));
  EXPECT_THAT(*parseTokenList("7"), ElementsAre(7));
}

TEST(ParseTokenList, saysWhichWordIsNoId) {
  EXPECT_EQ(refusalOf("1,two"),
            "--tokens: 'two' at index 1 is not a token id; write them as 1,5,9");
  EXPECT_EQ(refusalOf(""), "--tokens: '' at index 0 is not a token id; write them as 1,5,9");
  EXPECT_EQ(refusalOf("1,,2"), "--tokens: '' at index 1 is not a token id; write them as 1,5,9");
  EXPECT_EQ(refusalOf("1.5"), "--tokens: '1.5' at index 0 is not a token id; write them as 1,5,9");
}

TEST(CheckedTokens, saysIdIndexAndVocabulary) {
  EXPECT_THAT(*checkedTokens({0, 511}, 512), ElementsAre(0, 511));
  EXPECT_EQ(checkedTokens({1, 512}, 512).status().message(),
            "--tokens: id 512 at index 1 is not in the vocabulary of 512 tokens; ids go from 0 to "
            "511");
  EXPECT_FALSE(checkedTokens({-1}, 512).ok());
  EXPECT_FALSE(checkedTokens({int64_t{1} << 40}, 512).ok());
}

} // namespace
} // namespace lathe::cli
