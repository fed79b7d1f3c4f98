#include "tools/lathe/progress.h"

#include <sstream>

#include <gmock/gmock.h>

namespace lathe::cli {
namespace {

using testing::EndsWith;

struct ProgressTest : testing::Test {
  std::ostringstream out;
  double now = 0;
  Progress::Clock clock = [this] { return now; };
};

TEST_F(ProgressTest, inALogEachStageHasOneLine) {
  Progress progress(out, /*terminal=*/false, clock);
  progress.update("hashing", 0, 10);
  progress.update("hashing", 10, 10);
  progress.update("packing", 0, 0);
  progress.clear();
  EXPECT_EQ(out.str(), "hashing\npacking\n");
}

TEST_F(ProgressTest, onATerminalTheLineHasStageAndPercent) {
  Progress progress(out, /*terminal=*/true, clock);
  progress.update("packing", 0, 200);
  EXPECT_THAT(out.str(), EndsWith("packing    0 %"));
}

TEST_F(ProgressTest, theTimeLeftIsWhatTheRestTakesAtThisRate) {
  Progress progress(out, /*terminal=*/true, clock);
  progress.update("packing", 0, 200);
  now = 30;
  progress.update("packing", 50, 200);
  EXPECT_THAT(out.str(), EndsWith("packing   25 %  ETA 1:30"));
  now = 3600;
  progress.update("packing", 100, 200);
  EXPECT_THAT(out.str(), EndsWith("packing   50 %  ETA 1:00:00"));
}

TEST_F(ProgressTest, aStageWithoutAMeasureHasItsNameOnly) {
  Progress progress(out, /*terminal=*/true, clock);
  progress.update("linking", 7, 0);
  EXPECT_THAT(out.str(), EndsWith("linking"));
}

TEST_F(ProgressTest, isNotDrawnMoreThanTenTimesASecond) {
  Progress progress(out, /*terminal=*/true, clock);
  progress.update("packing", 0, 200);
  size_t drawn = out.str().size();
  now = 0.05;
  progress.update("packing", 1, 200);
  EXPECT_EQ(out.str().size(), drawn);
}

TEST_F(ProgressTest, leavesNothingOnTheTerminal) {
  {
    Progress progress(out, /*terminal=*/true, clock);
    progress.update("packing", 0, 200);
  }
  EXPECT_THAT(out.str(), EndsWith("\r\033[K"));
}

TEST_F(ProgressTest, moreThanAllIsAll) {
  Progress progress(out, /*terminal=*/true, clock);
  progress.update("packing", 300, 200);
  EXPECT_THAT(out.str(), EndsWith("100 %"));
}

} // namespace
} // namespace lathe::cli
