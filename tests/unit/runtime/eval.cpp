#include "runtime/eval/eval.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_model.h"

namespace lathe::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void noProgress(int64_t, int64_t) {}

std::vector<int32_t> textOf(int count) {
  std::vector<int32_t> tokens(count);
  for (int i = 0; i < count; ++i)
    tokens[i] = (i * i + 1) % 12;
  return tokens;
}

// As the header says it, with nothing clever.
double expectedMean(const std::vector<int32_t> &text, size_t window, int32_t bos,
                    int64_t *counted) {
  double sum = 0;
  *counted = 0;
  for (size_t begin = 0; begin < text.size(); begin += window - 1) {
    std::vector<int32_t> context;
    if (bos >= 0)
      context.push_back(bos);
    for (size_t i = begin; i < std::min(begin + window - 1, text.size()); ++i) {
      if (!context.empty())
        sum += negativeLogLikelihood(fakeLogits(context), text[i]), ++*counted;
      context.push_back(text[i]);
    }
  }
  return sum / static_cast<double>(*counted);
}

TEST(NegativeLogLikelihood, isMinusTheLogarithmOfTheProbability) {
  EXPECT_NEAR(negativeLogLikelihood({0, 0, 0, 0}, 2), std::log(4.0), 1e-12);
  EXPECT_NEAR(negativeLogLikelihood({1000, 0}, 0), 0, 1e-12);
  EXPECT_NEAR(negativeLogLikelihood({1000, 0}, 1), 1000, 1e-9);
}

TEST(Evaluate, takesTheMeanOverAllWindows) {
  std::vector<int32_t> text = textOf(50);
  for (int64_t window : {2, 3, 7, 26, 51, 64, 0})
    for (int32_t bos : {-1, 11}) {
      auto session = fakeSession(2);
      int64_t counted = 0;
      double mean = expectedMean(text, window == 0 ? kFakeContext : window, bos, &counted);
      if (counted == 0)
        continue;
      auto result = evaluate(*session, text, {window, bos}, noProgress);
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(result->tokens, counted) << window << " " << bos;
      EXPECT_NEAR(result->mean_nll, mean, 1e-12) << window << " " << bos;
      EXPECT_NEAR(result->perplexity, std::exp(mean), 1e-6 * std::exp(mean));
    }
}

TEST(Evaluate, countsEveryTokenBehindABos) {
  auto session = fakeSession();
  EXPECT_EQ(evaluate(*session, textOf(10), {4, 11}, noProgress)->tokens, 10);
  EXPECT_EQ(evaluate(*session, textOf(10), {4, -1}, noProgress)->tokens,
            6); // windows of 3, 3, 3, 1
}

TEST(Evaluate, saysHowFarItIs) {
  auto session = fakeSession();
  std::vector<int64_t> done;
  ASSERT_TRUE(evaluate(*session, textOf(10), {5, 11}, [&](int64_t now, int64_t total) {
                EXPECT_EQ(total, 10);
                done.push_back(now);
              }).ok());
  EXPECT_THAT(done, ElementsAre(4, 8, 10));
}

TEST(Evaluate, refusesWhatMakesNoSense) {
  auto session = fakeSession();
  for (int64_t window : {-1, 1, 65})
    EXPECT_THAT(evaluate(*session, textOf(10), {window, 11}, noProgress).status().message(),
                HasSubstr("must be from 2 to 64, the context"));
  EXPECT_THAT(evaluate(*session, {}, {}, noProgress).status().message(),
              HasSubstr("a text of 0 tokens leaves none"));
  EXPECT_THAT(evaluate(*session, {3}, {}, noProgress).status().message(),
              HasSubstr("a text of 1 tokens leaves none"));
  EXPECT_THAT(evaluate(*session, {3, 32}, {0, 11}, noProgress).status().message(),
              HasSubstr("a token has id 32"));
  EXPECT_THAT(evaluate(*session, {3, -1}, {0, 11}, noProgress).status().message(),
              HasSubstr("a token has id -1"));
}

TEST(Evaluate, saysSoWhenTheModelComputesNonsense) {
  auto session = fakeSession();
  EXPECT_THAT(evaluate(*session, {kFakeUnlucky, 3}, {0, 11}, noProgress).status().message(),
              HasSubstr("some logits are not numbers"));
}

} // namespace
} // namespace lathe::runtime
