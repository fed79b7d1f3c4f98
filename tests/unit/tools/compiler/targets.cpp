#include "tools/compiler/targets.h"

#include <gmock/gmock.h>

#include "runtime/cpu/features.h"

namespace lathe::compiler {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> namesOf(const std::vector<std::string> &asked, bool integer_rows = false) {
  const auto chosen = chooseTargets(asked, integer_rows);
  EXPECT_TRUE(chosen.ok()) << chosen.status();
  std::vector<std::string> names;
  for (const x86::Level *level : *chosen)
    names.push_back(level->name.str());
  return names;
}

TEST(Targets, ofX86AreEveryLevelTheBestFirst) {
  EXPECT_THAT(namesOf({"x86"}), ElementsAre("x86-amx", "x86-64-v4", "x86-64-v3"));
}

TEST(Targets, haveALevelForIntegersWhereRowsAreIntegers) {
  EXPECT_THAT(namesOf({"x86"}, true), ElementsAre("x86-amx", "x86-vnni", "x86-64-v4", "x86-64-v3"));
  EXPECT_THAT(namesOf({"x86-vnni"}), ElementsAre("x86-vnni"));
}

TEST(Targets, areTakenOnceInWhateverOrderTheyAreNamed) {
  EXPECT_THAT(namesOf({"x86-64-v3", "x86-64-v4", "x86-64-v3"}),
              ElementsAre("x86-64-v4", "x86-64-v3"));
  EXPECT_THAT(namesOf({"x86-64-v3", "x86"}), ElementsAre("x86-amx", "x86-64-v4", "x86-64-v3"));
}

TEST(Targets, areThisMachinesLevelAndAllBelowWhereNoneIsNamed) {
  const std::vector<std::string> names = namesOf({});
  EXPECT_EQ(names.front(), runtime::CpuFeatures::ofThisMachine().levelName());
  EXPECT_EQ(names.back(), "x86-64-v3");
}

TEST(Targets, thatAreNotKnownAreRefusedWithThoseThatAre) {
  EXPECT_THAT(
      chooseTargets({"x86-64-v9"}, false).status().message(),
      HasSubstr(
          "target 'x86-64-v9' is not known; the known ones are x86 (every level), x86-64-v3"));
}

} // namespace
} // namespace lathe::compiler
