#include "tools/lathe/conversation.h"

#include <gmock/gmock.h>

#include "runtime/cpu/device.h"
#include "tests/unit/scratch_folder.h"
#include "tests/unit/tools/lathe/toy_model.h"

namespace lathe::cli {
namespace {

using Ids = std::vector<int32_t>;
using testing::HasSubstr;

TEST(ReusablePrefix, isAllThatWasFedWhereTheConversationGoesOn) {
  EXPECT_EQ(reusablePrefix(Ids{1, 2, 3}, Ids{1, 2, 3, 4, 5}), 3u);
}

TEST(ReusablePrefix, endsWhereTheTemplateSpellsTheAnswerAnotherWay) {
  EXPECT_EQ(reusablePrefix(Ids{1, 2, 9, 9}, Ids{1, 2, 3, 4, 5}), 2u);
}

TEST(ReusablePrefix, leavesATokenToFeed) {
  EXPECT_EQ(reusablePrefix(Ids{1, 2, 3}, Ids{1, 2, 3}), 2u);
  EXPECT_EQ(reusablePrefix(Ids{1, 2, 3, 4}, Ids{1, 2}), 1u);
  EXPECT_EQ(reusablePrefix(Ids{1}, Ids{1}), 0u);
}

TEST(ReusablePrefix, isNothingInTheBeginning) {
  EXPECT_EQ(reusablePrefix(Ids{}, Ids{1, 2}), 0u);
  EXPECT_EQ(reusablePrefix(Ids{1, 2}, Ids{}), 0u);
  EXPECT_EQ(reusablePrefix(Ids{2, 1}, Ids{1, 2}), 0u);
}

class ConversationTest : public testing::Test {
protected:
  void SetUp() override {
    ToyOptions options;
    options.context = 256;
    writeToyModel(folder / "toy.lathe", options);
    auto module = runtime::Module::load(folder / "toy.lathe", *runtime::createCpuDevice({1}));
    ASSERT_TRUE(module.ok()) << module.status();
    TextFiles files = *textFilesOf((*module)->artifact());
    tokenizer = std::make_unique<text::Tokenizer>(*loadTokenizer(files));
    session = *runtime::Session::create(*module, {0, &stop});
    conversation = std::make_unique<Conversation>(*loadChatPrompt(files), *tokenizer, *session);
    generation.max_new = 6;
    generation.stop = &stop;
  }

  absl::StatusOr<runtime::GenerateResult> answer(const std::string &message) {
    said.clear();
    return conversation->answer(message, generation, {}, [this](absl::string_view text) {
      said.append(text.data(), text.size());
    });
  }
  Ids expectedAnswer(const std::vector<std::string> &messages) {
    return toyGreedy(*tokenizer->encode(toyPrompt(messages), false), 6);
  }

  ScratchFolder folder;
  std::atomic<bool> stop{false};
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<runtime::Session> session;
  std::unique_ptr<Conversation> conversation;
  runtime::GenerateOptions generation;
  std::string said;
};

TEST_F(ConversationTest, answersAsIfAllOfItHadBeenFedAtOnce) {
  std::vector<std::string> messages = {"Hello"};
  for (const char *next : {"and then?", "why", "ok"}) {
    auto result = answer(messages.back());
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->tokens, expectedAnswer(messages));
    messages.insert(messages.end(), {said, next});
  }
}

TEST_F(ConversationTest, feedsOnlyWhatIsNew) {
  auto first = answer("Hello");
  ASSERT_TRUE(first.ok());
  int64_t whole = tokenizer->encode(toyPrompt({"Hello", said, "More"}), false)->size();
  auto second = answer("More");
  ASSERT_TRUE(second.ok());
  EXPECT_LT(second->stats.prompt_tokens, whole);
  EXPECT_GE(first->stats.prompt_tokens + 6 + second->stats.prompt_tokens, whole);
}

TEST_F(ConversationTest, forgets) {
  ASSERT_TRUE(answer("Hello").ok());
  conversation->forget();
  auto result = answer("Again");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tokens, expectedAnswer({"Again"}));
}

TEST_F(ConversationTest, anAnswerThatWasStoppedBeforeItBeganWasNeverAskedFor) {
  stop = true;
  auto stopped = answer("Hello");
  ASSERT_TRUE(stopped.ok());
  EXPECT_EQ(stopped->reason, runtime::StopReason::stopped);
  stop = false;
  auto result = answer("Again");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tokens, expectedAnswer({"Again"}));
}

TEST_F(ConversationTest, saysThatTheContextIsTooSmallAndGoesOnWithoutTheMessage) {
  std::string long_message;
  for (int i = 0; i < 300; ++i)
    long_message += "word ";
  auto refused = answer(long_message);
  EXPECT_TRUE(absl::IsOutOfRange(refused.status()));
  EXPECT_THAT(refused.status().message(), HasSubstr("but the context holds 256; /reset"));
  auto result = answer("short");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tokens, expectedAnswer({"short"}));
}

TEST_F(ConversationTest, takesAMessageThatIsNotUtf8) {
  auto result = answer("a\xff");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tokens, expectedAnswer({"a\xef\xbf\xbd"}));
}

} // namespace
} // namespace lathe::cli
