#include "tools/lathe/conversation.h"

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

using Ids = std::vector<int32_t>;

TEST(ReusablePrefix, isAllThatWasFedWhereTheConversationGoesOn) {
  EXPECT_EQ(reusablePrefix(Ids{1, 2, 3}, Ids{1, 2, 3, 4, 5}), 3u);
}

TEST(ReusablePrefix, endsWhereTheTemplateSpellsTheAnswerAnotherWay) {
  EXPECT_EQ(reusablePrefix(Ids{1, 2, 9, 9}, Ids{1, 2, 3, 4, 5}), 2u);
}

TEST(ReusablePrefix, leavesATokenToFeed) {
  EXPECT_EQ(reusablePrefix(Ids{1, 2, 3}, Ids{1, 2, 3}), 2u);
  EXPECT_EQ(reusablePrefix(Ids{1, 2, 3, 4}, Ids{1, 2}), 1u);
  EXPECT_EQ(reusablePrefix(Ids{1}, Ids{1}), 0u);
}

TEST(ReusablePrefix, isNothingInTheBeginning) {
  EXPECT_EQ(reusablePrefix(Ids{}, Ids{1, 2}), 0u);
  EXPECT_EQ(reusablePrefix(Ids{1, 2}, Ids{}), 0u);
  EXPECT_EQ(reusablePrefix(Ids{2, 1}, Ids{1, 2}), 0u);
}

} // namespace
} // namespace lathe::cli
