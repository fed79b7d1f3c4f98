#include "runtime/module/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_model.h"

namespace lathe::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char *const kV3 = "arch=x86_64;features=avx2,fma,f16c";
const char *const kV4 = "arch=x86_64;features=avx512f,avx512bw,avx512cd,avx512dq,avx512vl";

std::shared_ptr<Device> v3Machine() {
  CpuOptions options;
  options.threads = 1;
  options.features = CpuFeatures("x86_64", {"avx2", "fma", "f16c"});
  return *createCpuDevice(options);
}

// An artifact with a target for each of these compatibility strings, named "t0", "t1", ...
std::string writeTargets(const ScratchFolder &folder,
                         const std::vector<std::string> &compatibilities) {
  artifact::Manifest manifest = fakeManifest();
  artifact::Target target = manifest.targets[0];
  manifest.targets.clear();
  for (const std::string &compatibility : compatibilities) {
    target.name = "t" + std::to_string(manifest.targets.size());
    target.compatibility = compatibility;
    manifest.targets.push_back(target);
  }
  return writeFake(folder, manifest);
}

TEST(CheckArtifact, isOptimalWhereATargetWasMadeForThisLevel) {
  ScratchFolder folder;
  CheckResult result =
      checkArtifact(writeTargets(folder, {kV4, kV3, "arch=x86_64"}), {v3Machine()}, false);
  EXPECT_STREQ(verdictName(result.verdict), "OPTIMAL");
  EXPECT_EQ(result.target, "t1");
  EXPECT_THAT(result.reasons, IsEmpty());
  ASSERT_EQ(result.targets.size(), 3u);
  EXPECT_EQ(result.targets[0].compatibility.verdict, Compatibility::Verdict::no);
}

TEST(CheckArtifact, isUsableWhereABetterLevelIsPossible) {
  ScratchFolder folder;
  CheckResult result =
      checkArtifact(writeTargets(folder, {kV4, "arch=x86_64"}), {v3Machine()}, false);
  EXPECT_STREQ(verdictName(result.verdict), "USABLE");
  EXPECT_EQ(result.target, "t1");
  EXPECT_THAT(
      result.reasons,
      ElementsAre(HasSubstr(
          "target 't1' runs, but this CPU has x86-64-v3; compile with --target x86-64-v3")));
}

TEST(CheckArtifact, saysRecompileWhereNoTargetRuns) {
  ScratchFolder folder;
  CheckResult result =
      checkArtifact(writeTargets(folder, {kV4, "arch=aarch64"}), {v3Machine()}, false);
  EXPECT_STREQ(verdictName(result.verdict), "RECOMPILE");
  EXPECT_EQ(result.target, "");
  EXPECT_THAT(result.reasons, ElementsAre(HasSubstr("target 't0': needs avx512f"),
                                          HasSubstr("target 't1': is for aarch64"),
                                          "compile the model again with --target x86-64-v3"));
}

TEST(CheckArtifact, saysRecompileWhereThereIsNoCode) {
  ScratchFolder folder;
  CheckResult result = checkArtifact(writeTargets(folder, {}), {v3Machine()}, false);
  EXPECT_STREQ(verdictName(result.verdict), "RECOMPILE");
}

TEST(CheckArtifact, takesTheFirstOfEquals) {
  ScratchFolder folder;
  EXPECT_EQ(checkArtifact(writeTargets(folder, {kV3, kV3}), {v3Machine()}, false).target, "t0");
}

TEST(CheckArtifact, saysNoToWhatIsNoArtifact) {
  ScratchFolder folder;
  CheckResult nothing = checkArtifact(folder / "none", {v3Machine()}, false);
  EXPECT_STREQ(verdictName(nothing.verdict), "NO");
  EXPECT_THAT(nothing.reasons, ElementsAre(HasSubstr("cannot open")));
  CheckResult text = checkArtifact(folder.write("a.lathe", "hello"), {v3Machine()}, false);
  EXPECT_EQ(text.verdict, Verdict::no);
  EXPECT_THAT(text.reasons, ElementsAre(HasSubstr("not a lathe artifact")));
}

// Turns a bit of a section over and judges the file.
CheckResult checkDamaged(const std::string &section, bool deep) {
  ScratchFolder folder;
  std::string path = writeTargets(folder, {kV3});
  uint64_t offset = artifact::Artifact::open(path)->findSection(section)->offset;
  std::string bytes = folder.read("fake.lathe");
  bytes[offset] ^= 1;
  return checkArtifact(folder.write("damaged.lathe", bytes), {v3Machine()}, deep);
}

TEST(CheckArtifact, seesDamageInCodeAndTexts) {
  for (const char *section : {"code.v0", "tokenizer.json"}) {
    CheckResult result = checkDamaged(section, false);
    EXPECT_EQ(result.verdict, Verdict::no);
    EXPECT_THAT(result.reasons, ElementsAre(HasSubstr(std::string("section '") + section)));
  }
}

TEST(CheckArtifact, readsWeightsOnlyWhenAskedTo) {
  EXPECT_EQ(checkDamaged("weights.0", false).verdict, Verdict::optimal);
  EXPECT_EQ(checkDamaged("weights.0", true).verdict, Verdict::no);
}

// What would crash or be refused if it were loaded is judged all the same.
TEST(CheckArtifact, loadsNoCode) {
  ScratchFolder folder;
  artifact::Manifest manifest = fakeManifest();
  std::string path = writeFake(folder, manifest, "this is no code");
  EXPECT_EQ(checkArtifact(path, {v3Machine()}, true).verdict, Verdict::usable);
}

} // namespace
} // namespace lathe::runtime
