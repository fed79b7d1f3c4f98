#include "tools/lathe/stop_texts.h"

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

TEST(StopTexts, withoutAnyEverythingIsShownAtOnce) {
  StopTexts stops({});
  EXPECT_EQ(stops.push("Once upon"), "Once upon");
  EXPECT_FALSE(stops.found());
  EXPECT_EQ(stops.flush(), "");
}

TEST(StopTexts, showsWhatStandsBeforeAStopWithinAPiece) {
  StopTexts stops({"END"});
  EXPECT_EQ(stops.push("a story END and more"), "a story ");
  EXPECT_TRUE(stops.found());
}

TEST(StopTexts, findsAStopThatSeveralPiecesMake) {
  StopTexts stops({"\nUser:"});
  EXPECT_EQ(stops.push("Hi!\n"), "Hi!");
  EXPECT_EQ(stops.push("Us"), "");
  EXPECT_FALSE(stops.found());
  EXPECT_EQ(stops.push("er: you"), "");
  EXPECT_TRUE(stops.found());
}

TEST(StopTexts, showsWhatOnlyLookedLikeAStop) {
  StopTexts stops({"\nUser:"});
  EXPECT_EQ(stops.push("Hi!\nUs"), "Hi!");
  EXPECT_EQ(stops.push("ually"), "\nUsually");
  EXPECT_FALSE(stops.found());
}

TEST(StopTexts, holdsBackABeginningThatStartsWithinAnother) {
  StopTexts stops({"aab"});
  EXPECT_EQ(stops.push("aa"), "");
  EXPECT_EQ(stops.push("a"), "a"); // the last two may still begin "aab"
  EXPECT_EQ(stops.push("b"), "");
  EXPECT_TRUE(stops.found());
}

TEST(StopTexts, takesTheStopThatComesFirst) {
  StopTexts stops({"two", "one"});
  EXPECT_EQ(stops.push("zero one two"), "zero ");
}

TEST(StopTexts, givesOutWhatItHeldAtTheEnd) {
  StopTexts stops({"END"});
  EXPECT_EQ(stops.push("the EN"), "the ");
  EXPECT_EQ(stops.flush(), "EN");
  EXPECT_EQ(stops.flush(), "");
}

} // namespace
} // namespace lathe::cli
