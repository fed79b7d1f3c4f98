// What is refused, and how it is said; what a template may not use up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "text/chat/chat_template.h"
#include "text/chat/template_source.h"

namespace lathe::text {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

absl::Status renderStatus(absl::string_view source, const Limits &limits = {},
                          const Json &context = Json::object()) {
  auto parsed = ChatTemplate::parse(source, "t.jinja");
  return parsed.ok() ? parsed->render(context, limits).status() : parsed.status();
}

std::string complaint(absl::string_view source) {
  return std::string(renderStatus(source).message());
}

struct Refusal {
  const char *source, *message;
};

class ChatRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(ChatRefuses, withTheLineAndTheReason) {
  EXPECT_THAT(complaint(GetParam().source), HasSubstr(GetParam().message)) << GetParam().source;
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, ChatRefuses,
    testing::Values(
        Refusal{"a\nb\n{{ 1|tojsn }}", "chat template 't.jinja': line 3: unknown filter 'tojsn'; "
                                       "did you mean 'tojson'? known ones are"},
        Refusal{"{{ 1 is defind }}", "line 1: unknown test 'defind'; did you mean 'defined'?"},
        Refusal{"{% fro x %}", "line 1: unknown statement 'fro'; did you mean 'for'?"},
        Refusal{"{{ 1|groupby('x') }}", "the filter 'groupby' is not offered in chat templates"},
        Refusal{"{% include 'x' %}", "the statement 'include' is not offered in chat templates"},
        Refusal{"{% call m() %}{% endcall %}", "the statement 'call' is not offered"},
        Refusal{"{% for x in y recursive %}{% endfor %}", "a recursive for is not offered"},
        Refusal{"{% if x %}",
                "the template ends before '{% elif %}' or '{% else %}' or '{% endif %}'"},
        Refusal{"{{ x", "a tag is not closed with '}}'"},
        Refusal{"{# x", "a comment '{#' is not closed"},
        Refusal{"{% raw %}", "'{% raw %}' is not closed"},
        Refusal{"{{ 'x }}", "a string is not closed"},
        Refusal{"{{ (1] }}", "unexpected ']'; expected ')'"}, Refusal{"{{ 1) }}", "unexpected ')'"},
        Refusal{"{{ $ }}", "unexpected character '$'"},
        Refusal{"{{ 1 + }}", "'}}' stands where an expression should be"},
        Refusal{"{{ a b }}", "'b' stands where '}}' should be"},
        Refusal{"{{ a. }}", "'}}' stands where an attribute's name should be"},
        Refusal{"{{ 99999999999999999999 }}", "does not fit in 64 bits"},
        Refusal{"{{ 0x10 }}", "write it in decimal digits"},
        Refusal{"{{ '\\ud800' }}", "which is no character"},
        Refusal{"{{ '\\xg1' }}", "an escape needs 2 hex digits"},
        Refusal{"{{ '\\N{DASH}' }}", "the escape \\N{...} is not offered"},
        Refusal{"{% set true = 1 %}", "'true' cannot be assigned to"},
        Refusal{"{% break %}", "'break' stands outside of a for"},
        Refusal{"{{ f(a=1, 2) }}", "an argument without a name stands behind one with a name"},
        Refusal{"{{ f(*a, 2) }}", "an argument stands behind one that is unpacked"},
        Refusal{"{{ a[1, 2] }}", "a tuple as an index is not offered"},
        Refusal{"{{ 1 is defined is none }}", "tests cannot be chained"},
        Refusal{"{% macro m(a=1, b) %}{% endmacro %}", "parameter 'b' has no default"},
        Refusal{"\xff", "byte 0 is not valid UTF-8"}));

INSTANTIATE_TEST_SUITE_P(
    Evaluation, ChatRefuses,
    testing::Values(
        Refusal{"\n{{ nope.x }}", "line 2: 'nope' is undefined"},
        Refusal{"{{ {}.a.b }}", "'dict object' has no attribute 'a'"},
        Refusal{"{{ nope() }}", "'nope' is undefined"},
        Refusal{"{{ nope + 1 }}", "'nope' is undefined"},
        Refusal{"{{ 'a' + 1 }}", "'+' is not defined between a str and a int"},
        Refusal{"{{ 1 < 'a' }}", "a int and a str have no order"},
        Refusal{"{{ 1 in 'a' }}", "the left side is a int"},
        Refusal{"{{ 1 in 2 }}", "the right side is a int"},
        Refusal{"{{ 1 // 0 }}", "division by zero"},
        Refusal{"{{ 9223372036854775807 + 1 }}", "an integer grew beyond 64 bits"},
        Refusal{"{{ 2 ** 64 }}", "an integer grew beyond 64 bits"},
        Refusal{"{{ (-9223372036854775807 - 1) // -1 }}", "an integer grew beyond 64 bits"},
        Refusal{"{{ [1].append(2) }}", "write '{% set x = x + [item] %}'"},
        Refusal{"{{ {}.update({}) }}", "write '{% set x = dict(x, key=value) %}'"},
        Refusal{"{{ 'a'.encode() }}", "the str method 'encode' is not offered"},
        Refusal{"{{ 'a'.split('') }}", "empty separator"},
        Refusal{"{{ '{:>5}'.format(1) }}", "offers only plain fields"},
        Refusal{"{{ 'a'|indent(1, 2, 3, 4) }}",
                "'indent' takes at most 3 arguments but is given 4"},
        Refusal{"{{ 'a'|indent(x=1) }}", "'indent' takes no argument named 'x'"},
        Refusal{"{{ 'a'|replace('b') }}", "'replace' needs the argument 'new'"},
        Refusal{"{{ 'a'|indent(1, width=1) }}", "is given the argument 'width' twice"},
        Refusal{"{{ nope|tojson }}", "an object of type Undefined is not JSON serializable"},
        Refusal{"{{ ([1]|map('string'))|length }}", "object of type 'generator' has no len()"},
        Refusal{"{% set a, b = [1] %}", "2 names are set from 1 values"},
        Refusal{"{% set a = 1 %}{% set a.b = 1 %}", "only a namespace's attributes can be set"},
        Refusal{"{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}",
                "macro 'm' takes 1 arguments but is given 2"},
        Refusal{"{% macro m(a) %}{% endmacro %}{{ m(b=2) }}",
                "macro 'm' takes no argument named 'b'"},
        Refusal{"{% for x in 5 %}{% endfor %}", "'int' object is not iterable"},
        Refusal{"{{ 5() }}", "a int is called as if it were a function"},
        Refusal{"{{ [1][::0] }}", "a slice's step is 0"},
        Refusal{"{{ 5[1:] }}", "a int cannot be sliced"},
        Refusal{"{{ 5|indent }}", "'indent' needs a str, not a int"},
        Refusal{"{{ {[]: 1} }}", "a dict's key is a list"},
        Refusal{"{{ '%d' % 'a' }}", "needs a number, not a str"},
        Refusal{"{{ '%s %s' % 'a' }}", "not enough arguments"},
        Refusal{"{{ cycler(1) }}", "the function 'cycler' is not offered"}));

TEST(ChatTemplateErrors, unknownFilterInAnUntakenBranchIsNoError) {
  EXPECT_TRUE(renderStatus("{% if false %}{{ 1|foo }}{% endif %}{{ 1|foo if false }}").ok());
  EXPECT_THAT(complaint("{% if true %}\n{{ 1|foo }}{% endif %}"),
              HasSubstr("line 2: unknown filter"));
}

TEST(ChatTemplateErrors, raisedMessageComesThrough) {
  absl::Status status = renderStatus("{{ raise_exception('no ' ~ 5) }}");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "chat template 't.jinja': line 1: no 5");
}

TEST(ChatTemplateErrors, contextMustBeCleanJson) {
  EXPECT_THAT(std::string(renderStatus("", {}, Json::array()).message()),
              HasSubstr("the context is not an object"));
  EXPECT_THAT(std::string(renderStatus("", {}, {{"x", "\xff"}}).message()),
              HasSubstr("a string of the context is not valid UTF-8 at byte 0"));
  EXPECT_THAT(std::string(renderStatus("", {}, {{"x", UINT64_MAX}}).message()),
              HasSubstr("does not fit in 64 bits"));
  Json deep;
  for (int i = 0; i < 200; ++i)
    deep = Json::array({deep});
  EXPECT_THAT(std::string(renderStatus("", {}, {{"x", deep}}).message()),
              HasSubstr("nests deeper"));
}

class ChatLimits : public testing::TestWithParam<const char *> {};

TEST_P(ChatLimits, areKept) {
  EXPECT_EQ(renderStatus(GetParam()).code(), absl::StatusCode::kResourceExhausted)
      << renderStatus(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Default, ChatLimits,
    testing::Values(
        "{{ 'x' * 10 ** 12 }}", "{{ [1] * 10 ** 12 }}", "{{ 'x' * 9223372036854775807 }}",
        "{{ 'xy' * 9223372036854775807 }}", "{{ range(10 ** 12) }}", "{{ 'a'|center(10 ** 12) }}",
        "{{ 'a'.ljust(10 ** 12) }}", "{{ 'a'|indent(10 ** 12) }}", "{{ '%999999999d' % 1 }}",
        "{{ ('x' * 1000000).replace('x', 'y' * 1000000) }}", "{{ (['x' * 1000000] * 100)|join }}",
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(s='x') %}{% for i in range(100) %}{% set n.s = n.s + n.s %}{% endfor "
        "%}",
        "{% set n = namespace(l=[]) %}{% for i in range(200) %}{% set n.l = [n.l] %}{% endfor %}",
        "{% set n = namespace(l=[]) %}{% for i in range(90) %}{% set n.l = [n.l, n.l] %}{% endfor "
        "%}{{ n.l }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set s = 'x' * 1000000 %}{% for i in range(100) %}{{ s }}{% endfor %}"));

TEST(ChatTemplateErrors, comparingDeepListsIsPaidFor) {
  const char *source =
      "{% set n = namespace(a=[], b=[]) %}{% for i in range(80) %}"
      "{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}";
  EXPECT_EQ(renderStatus(source).code(), absl::StatusCode::kResourceExhausted);
}

TEST(ChatTemplateErrors, limitsCanBeSet) {
  EXPECT_THAT(std::string(renderStatus("{{ 'abcdef' }}", {.output_bytes = 5}).message()),
              HasSubstr("longer than the 5 bytes"));
  EXPECT_THAT(std::string(renderStatus("{{ 1 + 1 }}", {.steps = 2}).message()),
              HasSubstr("more than the 2 steps"));
  EXPECT_THAT(std::string(renderStatus("{{ [1, 2, 3] }}", {.list_items = 2}).message()),
              HasSubstr("a list of 3 items is longer than the 2"));
}

TEST(ChatTemplateErrors, namespaceThatHoldsItselfIsFreed) {
  EXPECT_TRUE(renderStatus("{% set n = namespace() %}{% set n.n = n %}").ok());
  EXPECT_THAT(complaint("{% set n = namespace() %}{% set n.n = n %}{{ n }}"),
              HasSubstr("a namespace that holds itself cannot be printed"));
}

TEST(ChatTemplateErrors, nestingInTheSourceIsBounded) {
  std::string parentheses = std::string(100000, '('), nots, sums = "1", lists(100000, '['), ifs,
              dots = "a";
  for (int i = 0; i < 100000; ++i) {
    nots += "not ";
    sums += "+1";
    ifs += "{% if 1 %}";
    dots += ".a";
  }
  for (const std::string &source :
       {"{{ " + parentheses + " }}", "{{ " + nots + "1 }}", "{{ " + sums + " }}",
        "{{ " + lists + " }}", ifs, "{{ " + dots + " }}", "{% set " + parentheses + " %}"})
    EXPECT_FALSE(ChatTemplate::parse(source, "t").ok());
}

TEST(FindChatTemplate, fileWinsOverTheConfig) {
  auto found = findChatTemplate(R"({"chat_template": "config"})", "file");
  EXPECT_EQ(found->text, "file");
  EXPECT_EQ(found->name, "chat_template.jinja");
  EXPECT_EQ(findChatTemplate(R"({"chat_template": "config"})", "")->name, "tokenizer_config.json");
}

TEST(FindChatTemplate, takesTheDefaultOfAList) {
  const char *config = R"({"chat_template": [{"name": "tool_use", "template": "t"},
                                             {"name": "default", "template": "d"}]})";
  EXPECT_EQ(findChatTemplate(config, "")->text, "d");
}

TEST(FindChatTemplate, saysWhatIsMissing) {
  EXPECT_EQ(findChatTemplate("", "").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(findChatTemplate("{}", "").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(findChatTemplate("[]", "").status().code(), absl::StatusCode::kNotFound);
  const char *without_default = R"({"chat_template": [{"name": "rag", "template": "t"}]})";
  EXPECT_THAT(std::string(findChatTemplate(without_default, "").status().message()),
              HasSubstr("without an entry named 'default'; it has rag"));
  EXPECT_THAT(std::string(findChatTemplate(R"({"chat_template": 5})", "").status().message()),
              HasSubstr("is a number"));
  EXPECT_THAT(std::string(findChatTemplate(R"({"chat_template": [5]})", "").status().message()),
              HasSubstr("each entry should have a name and a template"));
}

TEST(ChatContextFromConfig, takesStringsAndAddedTokens) {
  Json config = {{"bos_token", {{"content", "<s>"}, {"lstrip", false}}},
                 {"eos_token", "</s>"},
                 {"pad_token", nullptr},
                 {"unk_token", 5},
                 {"other", "x"}};
  EXPECT_EQ(chatContextFromConfig(config), Json({{"bos_token", "<s>"}, {"eos_token", "</s>"}}));
  EXPECT_EQ(chatContextFromConfig(Json::array()), Json::object());
}

} // namespace
} // namespace lathe::text
