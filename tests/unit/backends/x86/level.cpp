#include "backends/x86/level.h"

#include <gmock/gmock.h>

#include "runtime/cpu/features.h"

namespace lathe::x86 {
namespace {

// A CPU with what the level's compatibility string asks for, by the runtime's names.
runtime::CpuFeatures cpuOf(const Level &level) {
  auto needs = runtime::parseCpuNeeds(level.compatibility.str());
  EXPECT_TRUE(needs.ok()) << needs.status();
  return {needs->arch, {needs->features.begin(), needs->features.end()}};
}

// Those that are not for integers alone, which the runtime has as the level before with a feature
// more.
std::vector<const Level *> generalLevels() {
  std::vector<const Level *> result;
  for (const Level &level : levels())
    if (!level.for_integers)
      result.push_back(&level);
  return result;
}

TEST(Levels, areTheRuntimesLevelsInItsOrder) {
  const std::vector<const Level *> general = generalLevels();
  ASSERT_EQ(general.size(), runtime::cpuLevels().size());
  for (size_t i = 0; i < general.size(); ++i)
    EXPECT_EQ(general[i]->name.str(), runtime::cpuLevels()[i].name);
}

TEST(Levels, askForAllThatTheRuntimesLevelHas) {
  uint32_t count = 0;
  for (const Level &level : levels()) {
    count += !level.for_integers;
    EXPECT_EQ(cpuOf(level).levelCount(), count) << level.name.str();
  }
}

TEST(Levels, askForAllThatTheLevelBeforeAsksFor) {
  for (size_t i = 1; i < levels().size(); ++i)
    EXPECT_EQ(runtime::whatIsMissing(*runtime::parseCpuNeeds(levels()[i - 1].compatibility.str()),
                                     cpuOf(levels()[i])),
              "");
}

TEST(Levels, runOnThisMachineUpToItsOwn) {
  const runtime::CpuFeatures &here = runtime::CpuFeatures::ofThisMachine();
  const std::vector<const Level *> general = generalLevels();
  for (size_t i = 0; i < here.levelCount(); ++i)
    EXPECT_EQ(
        runtime::whatIsMissing(*runtime::parseCpuNeeds(general[i]->compatibility.str()), here), "");
}

} // namespace
} // namespace lathe::x86
