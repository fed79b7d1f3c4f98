// What transformers rendered from the templates of known families.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "text/chat/chat_template.h"
#include "text/chat/template_source.h"

namespace lathe::text {
namespace {

using Json = nlohmann::ordered_json;

std::string fixture(const std::string &folder, const std::string &file) {
  std::string path = std::string(LATHE_TEST_DATA) + "/tokenizers/" + folder + "/" + file;
  return fileExists(path) ? *readTextFile(path, 1 << 28) : std::string();
}

Json parsed(const std::string &text) { return *parseJson(text, "fixture"); }

class ChatGolden : public testing::TestWithParam<const char *> {
protected:
  absl::StatusOr<std::string> render(const Json &chat) const {
    std::string config = fixture(GetParam(), "tokenizer_config.json");
    auto source = findChatTemplate(config, fixture(GetParam(), "chat_template.jinja"));
    auto chat_template = ChatTemplate::parse(source.value().text, source->name);
    Json context = chatContextFromConfig(parsed(config));
    for (const char *key : {"messages", "tools", "add_generation_prompt"})
      if (chat.contains(key))
        context[key] = chat[key];
    return chat_template.value().render(context);
  }

  Json golden() const { return parsed(fixture(GetParam(), "golden.json")); }
};

TEST_P(ChatGolden, rendersWhatTransformersRendered) {
  Json chats = golden()["chat"];
  ASSERT_FALSE(chats.empty());
  for (const Json &chat : chats) {
    auto text = render(chat);
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, chat["rendered"].get<std::string>()) << chat["messages"].dump();
  }
}

TEST_P(ChatGolden, raisesWhatTransformersRaised) {
  const Json chats = golden()["chat_errors"]; // a copy: golden() is gone after this line
  for (const Json &chat : chats) {
    auto text = render(chat);
    EXPECT_EQ(text.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(text.status().message()),
                testing::EndsWith(": " + chat["error"].get<std::string>()));
  }
  // Families whose template raises; without this the loop could pass by not running.
  const std::set<std::string> raising = {"llama2", "llama3", "unigram"};
  EXPECT_EQ(chats.empty(), raising.count(GetParam()) == 0);
}

INSTANTIATE_TEST_SUITE_P(Families, ChatGolden,
                         testing::Values("llama3", "qwen2", "deepseek_v3", "deepseek_v2", "llama2",
                                         "yi", "unigram", "gpt2", "gpt2_prefix", "glm4"),
                         [](const auto &info) { return std::string(info.param); });

} // namespace
} // namespace lathe::text
