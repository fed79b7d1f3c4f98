#include "runtime/cpu/features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::runtime {
namespace {

using testing::HasSubstr;

CpuFeatures cpuWith(std::set<std::string, std::less<>> names) {
  return {"x86_64", std::move(names)};
}

const std::set<std::string, std::less<>> kV3 = {"avx2", "fma", "f16c"};

TEST(CpuLevels, riseWithoutSharingAFeature) {
  std::set<std::string> seen;
  for (const CpuLevel &level : cpuLevels())
    for (const std::string &name : level.features)
      EXPECT_TRUE(seen.insert(name).second) << level.name << " repeats " << name;
  EXPECT_EQ(cpuLevels().front().name, "x86-64-v3");
  EXPECT_EQ(cpuLevels().back().name, "x86-amx");
}

TEST(CpuFeatures, areOfTheHighestLevelOfWhichNothingIsMissing) {
  EXPECT_EQ(cpuWith({}).levelName(), "x86-64");
  EXPECT_EQ(cpuWith({"avx2", "fma"}).levelName(), "x86-64");
  EXPECT_EQ(cpuWith(kV3).levelName(), "x86-64-v3");
  EXPECT_EQ(cpuWith(kV3).levelCount(), 1u);
  auto v4 = kV3;
  v4.insert({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"});
  EXPECT_EQ(cpuWith(v4).levelName(), "x86-64-v4");
  v4.insert({"amx-tile", "amx-int8", "amx-bf16"});
  EXPECT_EQ(cpuWith(v4).levelName(), "x86-amx");
  v4.erase("fma"); // a hole below: no level above it counts
  EXPECT_EQ(cpuWith(v4).levelName(), "x86-64");
}

TEST(CpuFeatures, ofThisMachineCanBeAskedForAgain) {
  const CpuFeatures &mine = CpuFeatures::ofThisMachine();
  EXPECT_EQ(mine.arch(), "x86_64");
  auto needs = parseCpuNeeds(mine.text());
  ASSERT_TRUE(needs.ok()) << needs.status();
  EXPECT_EQ(whatIsMissing(*needs, mine), "");
}

TEST(CpuFeatures, textNamesThemInOneOrder) {
  EXPECT_EQ(cpuWith({"fma", "avx2"}).text(), "arch=x86_64;features=avx2,fma");
  EXPECT_EQ(cpuWith({}).text(), "arch=x86_64;features=");
}

TEST(ParseCpuNeeds, readsArchAndFeatures) {
  auto needs = parseCpuNeeds("arch=x86_64;features=avx2,fma");
  ASSERT_TRUE(needs.ok());
  EXPECT_EQ(needs->arch, "x86_64");
  EXPECT_THAT(needs->features, testing::ElementsAre("avx2", "fma"));
  EXPECT_THAT(parseCpuNeeds("arch=x86_64")->features, testing::IsEmpty());
  EXPECT_THAT(parseCpuNeeds(";;arch=x86_64;features=,avx2,;")->features,
              testing::ElementsAre("avx2"));
}

TEST(ParseCpuNeeds, refusesKeysThatItDoesNotKnow) {
  EXPECT_THAT(parseCpuNeeds("arch=x86_64;os=linux").status().message(),
              HasSubstr("'os' is not known to this runtime"));
  EXPECT_THAT(parseCpuNeeds("nonsense").status().message(), HasSubstr("'nonsense' is not known"));
  EXPECT_THAT(parseCpuNeeds("=").status().message(), HasSubstr("'' is not known"));
}

TEST(ParseCpuNeeds, leavesTheKeysOfAnotherArchToIt) {
  EXPECT_EQ(parseCpuNeeds("version=2;arch=null")->arch, "null");
}

TEST(ParseCpuNeeds, refusesNoArch) {
  for (const char *text : {"", ";", "features=avx2", "arch=", "arch"})
    EXPECT_THAT(parseCpuNeeds(text).status().message(), HasSubstr("names no arch")) << text;
}

TEST(WhatIsMissing, namesEachFeatureAndTheCpusLevel) {
  EXPECT_EQ(whatIsMissing({"x86_64", {"avx2"}}, cpuWith(kV3)), "");
  EXPECT_EQ(whatIsMissing({"x86_64", {"avx512f", "avx2", "unheard-of"}}, cpuWith(kV3)),
            "needs avx512f, unheard-of, which this CPU (x86-64-v3) lacks");
  EXPECT_EQ(whatIsMissing({"aarch64", {}}, cpuWith(kV3)), "is for aarch64, this CPU is x86_64");
}

} // namespace
} // namespace lathe::runtime
