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

TEST(Levels, areTheRuntimesLevelsInItsOrder) {
  ASSERT_EQ(levels().size(), runtime::cpuLevels().size());
  for (size_t i = 0; i < levels().size(); ++i)
    EXPECT_EQ(levels()[i].name.str(), runtime::cpuLevels()[i].name);
}

TEST(Levels, askForAllThatTheRuntimesLevelHas) {
  for (size_t i = 0; i < levels().size(); ++i) {
    EXPECT_EQ(cpuOf(levels()[i]).levelCount(), i + 1) << levels()[i].name.str();
  }
}

TEST(Levels, runOnThisMachineUpToItsOwn) {
  const runtime::CpuFeatures &here = runtime::CpuFeatures::ofThisMachine();
  for (size_t i = 0; i < here.levelCount(); ++i)
    EXPECT_EQ(
        runtime::whatIsMissing(*runtime::parseCpuNeeds(levels()[i].compatibility.str()), here), "");
}

} // namespace
} // namespace lathe::x86
