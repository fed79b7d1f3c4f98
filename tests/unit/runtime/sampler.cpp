#include "runtime/sampling/sampler.h"

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/sampling/exact_exp.h"

namespace lathe::runtime {
namespace {

using testing::HasSubstr;

constexpr float kInfinity = INFINITY;

// How often each token comes in many draws from the same logits.
std::map<int32_t, int> drawsOf(const SamplingOptions &options, const std::vector<float> &logits,
                               int draws = 20'000) {
  auto sampler = Sampler::create(options, logits.size());
  EXPECT_TRUE(sampler.ok()) << sampler.status();
  std::map<int32_t, int> counts;
  for (int i = 0; i < draws; ++i)
    ++counts[*sampler->sample(logits)];
  return counts;
}

std::vector<int32_t> idsOf(const std::map<int32_t, int> &counts) {
  std::vector<int32_t> ids;
  for (const auto &[id, count] : counts)
    ids.push_back(id);
  return ids;
}

SamplingOptions at(double temperature) {
  SamplingOptions options;
  options.temperature = temperature;
  return options;
}

// Logits with these probabilities.
std::vector<float> logitsOf(const std::vector<double> &probabilities) {
  std::vector<float> logits;
  for (double p : probabilities)
    logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

TEST(SampleGreedy, takesTheHighestAndTheLowerIdOfEquals) {
  EXPECT_EQ(*sampleGreedy({1, 3, 2}), 1);
  EXPECT_EQ(*sampleGreedy({1, 3, 3}), 1);
  EXPECT_EQ(*sampleGreedy({-kInfinity, -5, -kInfinity}), 1);
  EXPECT_EQ(*sampleGreedy({-0.0f, 0.0f}), 0);
}

TEST(SampleGreedy, refusesWhatIsNoLogit) {
  EXPECT_THAT(sampleGreedy({1, NAN, 2}).status().message(),
              HasSubstr("the logit of token 1 is nan; the model computed nonsense"));
  EXPECT_THAT(sampleGreedy({1, 2, kInfinity}).status().message(),
              HasSubstr("the logit of token 2 is inf"));
  EXPECT_THAT(sampleGreedy({-kInfinity, -kInfinity}).status().message(),
              HasSubstr("none of the 2 logits is finite"));
  EXPECT_THAT(sampleGreedy({}).status().message(), HasSubstr("none of the 0 logits"));
}

TEST(Sampler, refusesOptionsOutOfTheirRange) {
  struct {
    void (*edit)(SamplingOptions &);
    const char *message;
  } cases[] = {
      {[](SamplingOptions &o) { o.temperature = -1; }, "--temperature -1: must be 0 or more"},
      {[](SamplingOptions &o) { o.temperature = NAN; }, "--temperature nan"},
      {[](SamplingOptions &o) { o.temperature = INFINITY; }, "--temperature inf"},
      {[](SamplingOptions &o) { o.top_k = -1; }, "--top-k -1: must be 0 or more"},
      {[](SamplingOptions &o) { o.top_p = 0; }, "--top-p 0: must be above 0 and at most 1"},
      {[](SamplingOptions &o) { o.top_p = 1.01; }, "--top-p 1.01"},
      {[](SamplingOptions &o) { o.top_p = NAN; }, "--top-p nan"},
      {[](SamplingOptions &o) { o.min_p = -0.1; }, "--min-p -0.1: must be from 0 to 1"},
      {[](SamplingOptions &o) { o.min_p = 2; }, "--min-p 2"},
  };
  for (auto c : cases) {
    SamplingOptions options = at(1);
    c.edit(options);
    EXPECT_THAT(Sampler::create(options, 10).status().message(), HasSubstr(c.message));
  }
}

TEST(Sampler, isGreedyAtTemperatureZero) {
  SamplingOptions options = at(0);
  options.top_k = 1, options.seed = 9;
  EXPECT_THAT(idsOf(drawsOf(options, {1, 5, 3}, 100)), testing::ElementsAre(1));
}

TEST(Sampler, drawsTheSameWithTheSameSeed) {
  std::vector<float> logits = logitsOf({0.4, 0.3, 0.2, 0.1});
  auto draws = [&](uint64_t seed) {
    SamplingOptions options = at(1);
    options.seed = seed;
    auto sampler = Sampler::create(options, 4);
    std::vector<int32_t> ids;
    for (int i = 0; i < 100; ++i)
      ids.push_back(*sampler->sample(logits));
    return ids;
  };
  EXPECT_EQ(draws(7), draws(7));
  EXPECT_NE(draws(7), draws(8));
}

// The same on every machine and for ever, or a seed that someone wrote down is worth nothing. The
// ids were computed from the header's words with another program.
TEST(Sampler, drawsWhatItAlwaysDrew) {
  SamplingOptions options = at(0.8);
  options.top_p = 0.95, options.seed = 42;
  auto sampler = Sampler::create(options, 64);
  std::vector<float> logits(64);
  for (int i = 0; i < 64; ++i)
    logits[i] = static_cast<float>(i * 29 % 64) / 16;
  std::vector<int32_t> ids;
  for (int i = 0; i < 12; ++i)
    ids.push_back(*sampler->sample(logits));
  EXPECT_THAT(ids, testing::ElementsAre(48, 4, 48, 22, 19, 22, 57, 2, 44, 2, 11, 35));
}

TEST(Sampler, drawsInProportion) {
  auto counts = drawsOf(at(1), logitsOf({0.5, 0.3, 0.2}));
  EXPECT_NEAR(counts[0], 10'000, 300);
  EXPECT_NEAR(counts[1], 6'000, 300);
  EXPECT_NEAR(counts[2], 4'000, 300);
}

TEST(Sampler, sharpensAtLowTemperature) {
  auto counts = drawsOf(at(0.5), logitsOf({0.5, 0.3, 0.2})); // squares: 25 : 9 : 4
  EXPECT_NEAR(counts[0], 20'000 * 25 / 38, 300);
  EXPECT_EQ(idsOf(drawsOf(at(1e-300), logitsOf({0.5, 0.49, 0.01}), 100)), std::vector<int32_t>{0});
}

TEST(Sampler, keepsTopKTheLowerIdsOfEquals) {
  SamplingOptions options = at(1);
  options.top_k = 2;
  EXPECT_THAT(idsOf(drawsOf(options, {0, 1, 1, 1, 0})), testing::ElementsAre(1, 2));
  options.top_k = 1000;
  EXPECT_EQ(drawsOf(options, {0, 1, 1}).size(), 3u);
}

TEST(Sampler, keepsTheFewestWhoseProbabilitiesReachTopP) {
  SamplingOptions options = at(1);
  std::vector<float> logits = logitsOf({0.1, 0.5, 0.25, 0.15});
  options.top_p = 0.5;
  EXPECT_THAT(idsOf(drawsOf(options, logits)), testing::ElementsAre(1));
  options.top_p = 0.74;
  EXPECT_THAT(idsOf(drawsOf(options, logits)), testing::ElementsAre(1, 2));
  options.top_p = 0.89;
  EXPECT_THAT(idsOf(drawsOf(options, logits)), testing::ElementsAre(1, 2, 3));
  options.top_p = 1e-9;
  EXPECT_THAT(idsOf(drawsOf(options, logits)), testing::ElementsAre(1));
}

TEST(Sampler, findsTopPAmongManyCandidates) {
  std::vector<double> probabilities(5000, 0.1 / 4800); // 200 share nine tenths
  for (int i = 0; i < 200; ++i)
    probabilities[i * 25] = 0.9 / 200;
  SamplingOptions options = at(1);
  options.top_p = 0.9 - 1e-6;
  for (int32_t id : idsOf(drawsOf(options, logitsOf(probabilities), 500)))
    EXPECT_EQ(id % 25, 0);
}

TEST(Sampler, keepsThoseWithMinPOfTheLikeliest) {
  SamplingOptions options = at(1);
  options.min_p = 0.5;
  EXPECT_THAT(idsOf(drawsOf(options, logitsOf({0.4, 0.21, 0.19, 0.2001}))),
              testing::ElementsAre(0, 1, 3));
  options.min_p = 1;
  EXPECT_THAT(idsOf(drawsOf(options, logitsOf({0.4, 0.4, 0.2}))), testing::ElementsAre(0, 1));
}

// top_k leaves 4 and 3 tenths of probability out, so that top_p counts among what is left.
TEST(Sampler, appliesTopKBeforeTopPBeforeMinP) {
  SamplingOptions options = at(1);
  std::vector<float> logits = logitsOf({0.4, 0.3, 0.2, 0.1});
  options.top_k = 3, options.top_p = 0.75;
  EXPECT_THAT(idsOf(drawsOf(options, logits)), testing::ElementsAre(0, 1)); // 0.7 of 0.9 is 0.78
  options.min_p = 0.8;
  EXPECT_THAT(idsOf(drawsOf(options, logits)), testing::ElementsAre(0));
}

TEST(Sampler, neverDrawsWhatIsImpossible) {
  for (double top_p : {1.0, 0.999}) {
    SamplingOptions options = at(10);
    options.top_p = top_p;
    EXPECT_THAT(idsOf(drawsOf(options, {0, -kInfinity, 1, -kInfinity})),
                testing::ElementsAre(0, 2));
  }
}

TEST(Sampler, refusesWhatIsNoLogitAndAnotherNumberOfThem) {
  auto sampler = Sampler::create(at(1), 3);
  ASSERT_TRUE(sampler.ok());
  EXPECT_THAT(sampler->sample({1, NAN, 2}).status().message(), HasSubstr("token 1 is nan"));
  EXPECT_THAT(sampler->sample({1, kInfinity, 2}).status().message(), HasSubstr("token 1 is inf"));
  EXPECT_THAT(sampler->sample({1, 2}).status().message(),
              HasSubstr("there are 2 logits; the sampler was made for 3"));
  EXPECT_TRUE(sampler->sample({3e38f, -3e38f, 0}).ok());
}

TEST(ExactExp, isCloseToTheRealOne) {
  for (double x = 0; x > -700; x -= 0.37)
    EXPECT_NEAR(exactExp(x) / std::exp(x), 1, 1e-15) << x;
  EXPECT_EQ(exactExp(0), 1);
  EXPECT_EQ(exactExp(-701), 0);
  EXPECT_EQ(exactExp(-INFINITY), 0);
  EXPECT_EQ(exactExp(NAN), 0);
}

} // namespace
} // namespace lathe::runtime
