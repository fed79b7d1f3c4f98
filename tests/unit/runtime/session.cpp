#include "runtime/session/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_model.h"

namespace lathe::runtime {
namespace {

using testing::HasSubstr;

std::vector<int32_t> tokensOf(int count) {
  std::vector<int32_t> tokens(count);
  for (int i = 0; i < count; ++i)
    tokens[i] = (i * 5 + 2) % 12; // never the unlucky one
  return tokens;
}

std::vector<float> logitsOf(const Session &session) {
  return {session.logits().begin(), session.logits().end()};
}

TEST(Session, givesTheLogitsOfTheLastToken) {
  auto session = fakeSession();
  EXPECT_TRUE(session->logits().empty());
  ASSERT_TRUE(session->feed({3, 1, 4, 1, 5}).ok());
  EXPECT_EQ(logitsOf(*session), fakeLogits({3, 1, 4, 1, 5}));
  EXPECT_EQ(session->position(), 5);
  ASSERT_TRUE(session->feed({9}).ok());
  EXPECT_EQ(logitsOf(*session), fakeLogits({3, 1, 4, 1, 5, 9}));
  EXPECT_EQ(session->remaining(), kFakeContext - 6);
  EXPECT_EQ(session->stateBytes(), 4u * kFakeContext);
}

TEST(Session, givesAllLogitsInOrderToASink) {
  auto session = fakeSession();
  std::vector<int32_t> tokens = tokensOf(21); // three chunks
  size_t next = 0;
  ASSERT_TRUE(session
                  ->feedAll(tokens,
                            [&](size_t index, absl::Span<const float> logits) {
                              EXPECT_EQ(index, next++);
                              EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()),
                                        fakeLogits(absl::MakeSpan(tokens).first(index + 1)));
                            })
                  .ok());
  EXPECT_EQ(next, tokens.size());
  EXPECT_EQ(logitsOf(*session), fakeLogits(tokens));
}

TEST(Session, refusesTokensThatMakeNoSenseAndFeedsNone) {
  auto session = fakeSession();
  EXPECT_THAT(session->feed({}).message(), HasSubstr("no token to run"));
  EXPECT_EQ(session->feed({1, 32}).message(), "token 1 has id 32; the vocabulary ends at 31");
  EXPECT_EQ(session->feed({-1}).message(), "token 0 has id -1; the vocabulary ends at 31");
  EXPECT_EQ(session->position(), 0);
  std::vector<int32_t> many = tokensOf(65);
  absl::Status status = session->feed(many);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(status.message(), "65 tokens do not fit: the context has 64, of which 0 are in use");
  EXPECT_EQ(session->position(), 0);
}

TEST(Session, canBeFilledToTheLastToken) {
  auto session = fakeSession();
  std::vector<int32_t> tokens = tokensOf(64);
  ASSERT_TRUE(session->feed(tokens).ok());
  EXPECT_EQ(session->remaining(), 0);
  EXPECT_EQ(logitsOf(*session), fakeLogits(tokens));
  EXPECT_EQ(session->feed({1}).code(), absl::StatusCode::kOutOfRange);
}

TEST(Session, goesBackAndOnAsIfTheRestHadNeverBeen) {
  auto session = fakeSession();
  ASSERT_TRUE(session->feed({1, 2, 3, 4, 5}).ok());
  ASSERT_TRUE(session->rewind(2).ok());
  EXPECT_EQ(session->position(), 2);
  EXPECT_TRUE(session->logits().empty());
  ASSERT_TRUE(session->feed({7}).ok());
  EXPECT_EQ(logitsOf(*session), fakeLogits({1, 2, 7}));
  ASSERT_TRUE(session->reset().ok());
  EXPECT_EQ(session->position(), 0);
  EXPECT_TRUE(session->logits().empty());
  ASSERT_TRUE(session->feed({8}).ok());
  EXPECT_EQ(logitsOf(*session), fakeLogits({8}));
}

TEST(Session, refusesToGoWhereItHasNotBeen) {
  auto session = fakeSession();
  ASSERT_TRUE(session->feed({1, 2}).ok());
  EXPECT_EQ(session->rewind(3).message(), "cannot go back to token 3: the context holds 2");
  EXPECT_EQ(session->rewind(-1).message(), "cannot go back to token -1: the context holds 2");
  ASSERT_TRUE(session->rewind(2).ok());
  EXPECT_EQ(logitsOf(*session), fakeLogits({1, 2})); // nothing was forgotten
}

TEST(Session, withRecurrentStateGoesBackToTheBeginningOnly) {
  artifact::Manifest manifest = fakeManifest();
  manifest.state[0].bytes_per_token = 0;
  auto session = fakeSession(1, {}, manifest);
  ASSERT_TRUE(session->feed({1, 2, 3}).ok());
  absl::Status status = session->rewind(1);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("cannot go back from token 3 to 1"));
  ASSERT_TRUE(session->rewind(0).ok());
  EXPECT_EQ(session->position(), 0);
}

TEST(Session, withASlidingWindowGoesBackUntilItFirstWraps) {
  artifact::Manifest manifest = fakeManifest();
  manifest.state[0].bytes = 4 * 10; // ten tokens
  auto session = fakeSession(1, {}, manifest);
  ASSERT_TRUE(session->feed(tokensOf(10)).ok());
  ASSERT_TRUE(session->rewind(9).ok());
  ASSERT_TRUE(session->feed({1, 2}).ok());
  EXPECT_EQ(session->rewind(9).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(session->rewind(0).ok());
}

TEST(Session, stopsBetweenChunksAndSaysHowFarItCame) {
  std::atomic<bool> stop{false};
  SessionOptions options;
  options.stop = &stop;
  options.prefill_chunk = 4;
  auto session = fakeSession(1, options);
  std::vector<int32_t> tokens = tokensOf(12);
  absl::Status status =
      session->feedAll(tokens, [&](size_t index, absl::Span<const float>) { stop = index >= 7; });
  EXPECT_EQ(status, absl::CancelledError("stopped after 8 of 12 tokens"));
  EXPECT_EQ(session->position(), 8);
  stop = false;
  ASSERT_TRUE(session->feed(absl::MakeSpan(tokens).subspan(8)).ok());
  EXPECT_EQ(logitsOf(*session), fakeLogits(tokens));
}

TEST(Session, refusesChunksLargerThanAStep) {
  ScratchFolder folder;
  CpuOptions cpu;
  cpu.threads = 1;
  auto module = Module::load(writeFake(folder), *createCpuDevice(cpu));
  ASSERT_TRUE(module.ok());
  for (int chunk : {-1, 9}) {
    SessionOptions options;
    options.prefill_chunk = chunk;
    EXPECT_THAT(Session::create(*module, options).status().message(),
                HasSubstr("the artifact's steps take from 1 to 8 tokens"));
  }
}

TEST(Session, runsWithEitherStepAlone) {
  for (size_t gone : {0u, 1u}) {
    artifact::Manifest manifest = fakeManifest();
    manifest.targets[0].steps.erase(manifest.targets[0].steps.begin() + gone);
    auto session = fakeSession(1, {}, manifest);
    std::vector<int32_t> tokens = tokensOf(11);
    ASSERT_TRUE(session->feed(tokens).ok());
    EXPECT_EQ(logitsOf(*session), fakeLogits(tokens));
  }
}

TEST(Sessions, ofOneModuleDoNotSeeEachOther) {
  ScratchFolder folder;
  CpuOptions cpu;
  cpu.threads = 2;
  auto module = Module::load(writeFake(folder), *createCpuDevice(cpu));
  ASSERT_TRUE(module.ok());
  auto talk = [&](int32_t first) {
    auto session = Session::create(*module);
    ASSERT_TRUE(session.ok());
    std::vector<int32_t> tokens;
    for (int32_t i = 0; i < 50; ++i) {
      tokens.push_back((first + i) % 12);
      ASSERT_TRUE((*session)->feed({tokens.back()}).ok());
      ASSERT_EQ(logitsOf(**session), fakeLogits(tokens));
    }
  };
  std::thread other([&] { talk(1); });
  talk(5);
  other.join();
}

// Each call of the fake is two regions; its few rows go through two calls.
TEST(Session, takesTheStepForTheFewestRowsThatFit) {
  artifact::Manifest manifest = fakeManifest();
  artifact::Step few = manifest.targets[0].steps[1];
  few.name = "few", few.max_rows = 4;
  few.calls.push_back(few.calls.front());
  manifest.targets[0].steps.push_back(few);
  auto session = fakeSession(1, {}, manifest);
  int regions = 0;
  session->observe([&](absl::string_view) { ++regions; });
  for (auto [tokens, expected] : {std::pair(1, 2), {2, 4}, {4, 4}, {5, 2}, {10, 6}}) {
    ASSERT_TRUE(session->rewind(0).ok());
    regions = 0;
    ASSERT_TRUE(session->feed(tokensOf(tokens)).ok());
    EXPECT_EQ(regions, expected) << tokens;
    EXPECT_EQ(logitsOf(*session), fakeLogits(tokensOf(tokens))) << tokens;
  }
}

} // namespace
} // namespace lathe::runtime
