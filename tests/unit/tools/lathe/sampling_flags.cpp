#include "tools/lathe/sampling_flags.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

artifact::Manifest modelThatSamples() {
  artifact::Manifest manifest;
  manifest.temperature = 0.5f;
  manifest.top_p = 0.75f;
  manifest.top_k = 40;
  return manifest;
}

TEST(SamplingOptions, areGreedyWhereNobodyAsksForSamples) {
  EXPECT_EQ(samplingOptions({}, {}).temperature, 0);
  artifact::Manifest silent;
  silent.temperature = silent.top_p = NAN;
  EXPECT_EQ(samplingOptions({}, silent).temperature, 0);
}

TEST(SamplingOptions, areTheModelsOwnWithoutFlags) {
  runtime::SamplingOptions options = samplingOptions({}, modelThatSamples());
  EXPECT_EQ(options.temperature, 0.5);
  EXPECT_EQ(options.top_p, 0.75);
  EXPECT_EQ(options.top_k, 40);
  EXPECT_EQ(options.seed, 0u);
}

TEST(SamplingOptions, greedyBeatsTheModel) {
  SamplingFlags flags;
  flags.greedy = true;
  EXPECT_EQ(samplingOptions(flags, modelThatSamples()).temperature, 0);
}

TEST(SamplingOptions, aFlagBeatsTheModelAndTheRestStays) {
  SamplingFlags flags;
  flags.temperature = 2;
  flags.top_k = 0;
  runtime::SamplingOptions options = samplingOptions(flags, modelThatSamples());
  EXPECT_EQ(options.temperature, 2);
  EXPECT_EQ(options.top_k, 0);
  EXPECT_EQ(options.top_p, 0.75);
}

TEST(SamplingOptions, anyFlagOfSamplingSamplesAtTemperatureOne) {
  SamplingFlags flags;
  flags.min_p = 0.1;
  flags.seed = 7;
  runtime::SamplingOptions options = samplingOptions(flags, {});
  EXPECT_EQ(options.temperature, 1);
  EXPECT_EQ(options.min_p, 0.1);
  EXPECT_EQ(options.top_p, 1);
  EXPECT_EQ(options.seed, 7u);
}

TEST(CheckSamplingFlags, refusesGreedyWithSampling) {
  SamplingFlags flags;
  flags.greedy = true;
  EXPECT_TRUE(checkSamplingFlags(flags).ok());
  flags.top_p = 0.9;
  EXPECT_TRUE(isUsageError(checkSamplingFlags(flags)));
}

} // namespace
} // namespace lathe::cli
