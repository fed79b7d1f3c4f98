#include "runtime/generate/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_model.h"

namespace lathe::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

bool goOn(int32_t) { return true; }

GenerateOptions upTo(int64_t max_new) {
  GenerateOptions options;
  options.max_new = max_new;
  return options;
}

TEST(Generate, countsUpWithTheFakeModel) {
  auto session = fakeSession();
  std::vector<int32_t> seen;
  auto result = generate(*session, {1, 2}, upTo(4), [&](int32_t token) {
    seen.push_back(token);
    return true;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->tokens, ElementsAre(3, 4, 5, 6));
  EXPECT_EQ(seen, result->tokens);
  EXPECT_EQ(result->reason, StopReason::max_new);
  EXPECT_EQ(session->position(), 5); // the last one is not fed
  EXPECT_EQ(result->stats.prompt_tokens, 2);
  EXPECT_EQ(result->stats.new_tokens, 4);
  EXPECT_GT(result->stats.prefillRate(), 0);
  EXPECT_GT(result->stats.decodeRate(), 0);
  EXPECT_LE(result->stats.prefill_seconds, result->stats.first_token_seconds);
}

TEST(Generate, onlyFeedsThePromptWhenNothingNewIsWanted) {
  auto session = fakeSession();
  auto result = generate(*session, {1, 2}, upTo(0), goOn);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->tokens.empty());
  EXPECT_EQ(result->reason, StopReason::max_new);
  EXPECT_EQ(session->position(), 2);
  EXPECT_EQ(result->stats.decodeRate(), 0);
}

TEST(Generate, endsAtAnEndTokenAndKeepsItToItself) {
  auto session = fakeSession();
  GenerateOptions options = upTo(100);
  options.eos_token_ids = {30, 6};
  auto result = generate(*session, {3}, options, goOn);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->tokens, ElementsAre(4, 5));
  EXPECT_EQ(result->reason, StopReason::eos);
}

TEST(Generate, endsWhenTheContextIsFull) {
  auto session = fakeSession();
  std::vector<int32_t> prompt(62, 14);
  auto result = generate(*session, prompt, upTo(100), goOn);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->tokens,
              ElementsAre(15, 16, 17)); // 17 is known, but there is no room to go on from it
  EXPECT_EQ(result->reason, StopReason::context_full);
}

TEST(Generate, endsWhenTheCallbackHasSeenEnough) {
  auto session = fakeSession();
  auto result = generate(*session, {1}, upTo(100), [](int32_t token) { return token != 4; });
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->tokens, ElementsAre(2, 3, 4));
  EXPECT_EQ(result->reason, StopReason::callback);
}

TEST(Generate, endsWhenItIsStopped) {
  std::atomic<bool> stop{false};
  SessionOptions session_options;
  session_options.stop = &stop;
  auto session = fakeSession(1, session_options);
  GenerateOptions options = upTo(100);
  options.stop = &stop;
  auto result = generate(*session, {1}, options, [&](int32_t token) {
    stop = token == 3;
    return true;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->tokens, ElementsAre(2, 3));
  EXPECT_EQ(result->reason, StopReason::stopped);
  auto at_once = generate(*session, {1}, options, goOn); // in the prompt already
  ASSERT_TRUE(at_once.ok());
  EXPECT_EQ(at_once->reason, StopReason::stopped);
  EXPECT_EQ(at_once->stats.prompt_tokens, 0);
}

TEST(Generate, goesOnWithAConversation) {
  auto session = fakeSession();
  auto first = generate(*session, {1}, upTo(2), goOn);
  ASSERT_TRUE(first.ok());
  auto second = generate(*session, {first->tokens.back(), 20}, upTo(2), goOn);
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(second->tokens, ElementsAre(21, 22));
  EXPECT_EQ(session->position(), 5);
}

TEST(Generate, drawsTheSameTextWithTheSameSeedOnAnyNumberOfThreads) {
  auto text = [](int threads, uint64_t seed) {
    auto session = fakeSession(threads);
    GenerateOptions options = upTo(20);
    options.sampling.temperature = 60; // so that the successor is not all but certain
    options.sampling.top_k = 6, options.sampling.seed = seed;
    std::vector<int32_t> seen; // up to the unlucky token, if it is drawn
    (void)generate(*session, {1}, options, [&](int32_t token) {
      seen.push_back(token);
      return true;
    });
    return seen;
  };
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(text(1, seed), text(2, seed));
    EXPECT_EQ(text(1, seed), text(3, seed));
  }
  EXPECT_NE(text(1, 3), text(1, 4));
}

TEST(Generate, refusesWhatMakesNoSense) {
  auto session = fakeSession();
  EXPECT_THAT(generate(*session, {1}, upTo(-1), goOn).status().message(),
              HasSubstr("--max-new -1: must be 0 or more"));
  EXPECT_THAT(generate(*session, {}, upTo(1), goOn).status().message(),
              HasSubstr("no token to run"));
  EXPECT_THAT(generate(*session, {99}, upTo(1), goOn).status().message(),
              HasSubstr("token 0 has id 99"));
  GenerateOptions options = upTo(1);
  options.sampling.top_p = 2;
  EXPECT_THAT(generate(*session, {1}, options, goOn).status().message(), HasSubstr("--top-p 2"));
  EXPECT_EQ(session->position(), 0);
}

TEST(Generate, saysSoWhenTheModelComputesNonsense) {
  auto session = fakeSession();
  EXPECT_THAT(generate(*session, {kFakeUnlucky}, upTo(1), goOn).status().message(),
              HasSubstr("the logit of token 0 is nan; the model computed nonsense"));
}

TEST(StopReason, hasAName) {
  EXPECT_STREQ(stopReasonName(StopReason::max_new), "max_new");
  EXPECT_STREQ(stopReasonName(StopReason::eos), "eos");
  EXPECT_STREQ(stopReasonName(StopReason::context_full), "context_full");
  EXPECT_STREQ(stopReasonName(StopReason::callback), "callback");
  EXPECT_STREQ(stopReasonName(StopReason::stopped), "stopped");
}

} // namespace
} // namespace lathe::runtime
