// Constructs of Jinja2, one by one.
#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/unit/text/chat_cases.h"
#include "text/chat/chat_template.h"

namespace lathe::text {
namespace {

using Json = nlohmann::ordered_json;

const Json &context() {
  static const Json json = *parseJson(R"json(
{"messages": [{"role": "system", "content": " Hi there "}, {"role": "user",
"content": "what's up?\n"}, {"role": "assistant", "content": null,
"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"x": 1,
"y": [true, null, 2.5]}}}]}, {"role": "tool", "content": "äöü ß", "n": 3}],
"tools": [{"type": "function", "function": {"name": "f", "description": "d <b> & 'q' \"qq\"",
"parameters": {"type": "object", "properties": {"x": {"type": "integer"},
"items": {"type": "array"}}, "required": ["x"]}}}], "bos_token": "<s>", "eos_token": "</s>",
"add_generation_prompt": true, "n": 7, "f": 2.5, "neg": -7, "s": "Hello World",
"u": "Zürich 日本", "l": [3, 1, 2], "d": {"b": 1, "a": 2}, "e": "", "none_v": null,
"nested": [[1, 2], [3, 4]], "strs": ["b", "A", "c", "a"], "big": 9007199254740993,
"small": 1e-07, "large": 1e+22}
)json",
                                      "context");
  return json;
}

void expectAll(const std::vector<ChatCase> &cases) {
  for (const ChatCase &example : cases) {
    auto parsed = ChatTemplate::parse(example.source, "t");
    ASSERT_TRUE(parsed.ok()) << example.source << ": " << parsed.status();
    auto text = parsed->render(context());
    ASSERT_TRUE(text.ok()) << example.source << ": " << text.status();
    EXPECT_EQ(*text, example.rendered) << example.source;
  }
}

TEST(ChatTemplate, calculatesAsPythonDoes) { expectAll(kOperatorCases); }
TEST(ChatTemplate, filtersAndTestsAsJinjaDoes) { expectAll(kFilterCases); }
TEST(ChatTemplate, runsStatementsAsJinjaDoes) { expectAll(kStatementCases); }

TEST(ChatTemplate, rendersTwiceTheSame) {
  auto parsed = ChatTemplate::parse("{% set ns = namespace(n=0) %}{% for i in l %}"
                                    "{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
                                    "t");
  EXPECT_EQ(parsed->render(context()).value(), "6");
  EXPECT_EQ(parsed->render(context()).value(), "6");
}

TEST(ChatTemplate, knowsTheDate) {
  auto parsed =
      ChatTemplate::parse("{{ strftime_now('%Y-%m-%d')|length }}{{ strftime_now('') }}", "t");
  EXPECT_EQ(parsed->render(Json::object()).value(), "10");
}

} // namespace
} // namespace lathe::text
