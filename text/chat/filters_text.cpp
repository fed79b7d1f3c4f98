// Filters that give text.
#include "text/chat/filters.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status.h"
#include "text/chat/operators.h"
#include "text/chat/percent_format.h"
#include "text/chat/python_text.h"
#include "text/chat/repr.h"
#include "text/chat/text_replace.h"
#include "text/chat/tojson.h"

namespace lathe::text {
namespace {

using Result = absl::StatusOr<Value>;

// Most text filters turn their subject into text first. What is made keeps being markup.
template <std::string (*change)(absl::string_view)> Result changed(Call &call) {
  LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, call.subject));
  return Value(change(text), call.subject.isMarkup());
}

// A letter after white space, a hyphen or an opening bracket is a capital, as Jinja2's `title` has
// it: "don't" stays "Don't", unlike in str.title().
std::string filterTitle(absl::string_view text) {
  auto begins_word = [](absl::string_view c) {
    size_t length = 0;
    return c.find_first_of("-({[<") == 0 || isPythonSpace(decodeAt(c, 0, &length));
  };
  std::string out;
  bool at_begin = true;
  for (absl::string_view character : splitCodePoints(text)) {
    out += at_begin ? upperCase(character) : lowerCase(character);
    at_begin = begins_word(character);
  }
  return out;
}

Result trim(Call &call) {
  LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, call.subject));
  if (!call.argument(0) || call.argument(0)->isNone())
    return Value(std::string(strip(text)), call.subject.isMarkup());
  LATHE_ASSIGN_OR_RETURN(absl::string_view chars, call.text(0, ""));
  return Value(std::string(stripRight(stripLeft(text, &chars), &chars)), call.subject.isMarkup());
}

Result replace(Call &call) {
  LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, call.subject));
  LATHE_ASSIGN_OR_RETURN(std::string from, toText(call.budget, *call.argument(0)));
  LATHE_ASSIGN_OR_RETURN(std::string to, toText(call.budget, *call.argument(1)));
  bool is_unlimited = !call.argument(2) || call.argument(2)->isNone();
  int64_t count = -1;
  if (!is_unlimited) {
    LATHE_ASSIGN_OR_RETURN(count, call.integer(2, -1));
  }
  LATHE_ASSIGN_OR_RETURN(std::string out, replaceText(call.budget, text, from, to, count));
  return Value(std::move(out), call.subject.isMarkup());
}

Result toString(Call &call) {
  LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, call.subject));
  return Value(std::move(text), call.subject.isMarkup());
}

Result safe(Call &call) {
  LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, call.subject));
  return Value(std::move(text), true);
}

Result escape(Call &call) {
  if (call.subject.isMarkup())
    return call.subject;
  LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, call.subject));
  LATHE_RETURN_IF_ERROR(call.budget.spend(text.size() / 10));
  return Value(escapeHtml(text), true);
}

absl::StatusOr<std::string> indentation(Call &call, size_t place, int64_t fallback) {
  const Value *width = call.argument(place);
  if (width && width->text())
    return *width->text();
  LATHE_ASSIGN_OR_RETURN(int64_t spaces, call.integer(place, fallback));
  LATHE_RETURN_IF_ERROR(call.budget.spendText(spaces > 0 ? spaces : 0));
  return std::string(spaces > 0 ? spaces : 0, ' ');
}

Result indent(Call &call) {
  if (call.subject.isUndefined())
    return undefinedError(call.subject);
  if (!call.subject.text())
    return call.fault(absl::StrCat("needs a str, not a ", typeName(call.subject)));
  LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, call.subject));
  LATHE_ASSIGN_OR_RETURN(std::string margin, indentation(call, 0, 4));
  text += '\n'; // so that a text that ends in a newline has an empty last line
  auto lines = splitLines(text);
  LATHE_RETURN_IF_ERROR(call.budget.spendText(text.size() + lines.size() * margin.size()));
  bool indents_blank = call.flag(2, false);
  std::string out = call.flag(1, false) ? margin : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    bool is_indented = i > 0 && (indents_blank || !lines[i].empty());
    absl::StrAppend(&out, i > 0 ? "\n" : "", is_indented ? margin : "", lines[i]);
  }
  return Value(std::move(out), call.subject.isMarkup());
}

Result center(Call &call) {
  LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, call.subject));
  LATHE_ASSIGN_OR_RETURN(int64_t width, call.integer(0, 80));
  return centerText(call.budget, text, width);
}

Result wordCount(Call &call) {
  LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, call.subject));
  int64_t words = 0;
  bool inside = false;
  for (absl::string_view character : splitCodePoints(text)) {
    size_t length = 0;
    char32_t c = decodeAt(character, 0, &length);
    bool is_word = c == '_' || isAlphabetic(c) || isDecimalDigit(c);
    words += is_word && !inside;
    inside = is_word;
  }
  return Value(words);
}

// "%s"|format(x): a dict of the named arguments, or a tuple of the others.
Result format(Call &call) {
  LATHE_ASSIGN_OR_RETURN(Value text, toString(call));
  if (!call.arguments.named.empty() && !call.arguments.positional.empty())
    return call.fault("takes arguments with names or without, not both");
  if (call.arguments.named.empty()) {
    LATHE_ASSIGN_OR_RETURN(Value tuple,
                           makeSequence(SequenceKind::Tuple, call.arguments.positional));
    return percentFormat(call.budget, text, tuple);
  }
  Mapping named;
  for (auto &[name, value] : call.arguments.named)
    LATHE_RETURN_IF_ERROR(named.insert(Value(name), value));
  return percentFormat(call.budget, text, makeMapping(std::move(named)));
}

absl::Status setIndent(Call &call, JsonStyle &style) {
  const Value *indent = call.argument(1);
  if (!indent || indent->isNone())
    return absl::OkStatus();
  style.is_indented = true;
  style.item_separator = std::string(","); // assigning "," makes GCC 12 warn without reason
  if (!indent->text() && indent->isIntegral() && indent->integral() > 1000)
    return call.fault("is given an indent of more than 1000");
  LATHE_ASSIGN_OR_RETURN(style.indent, indentation(call, 1, 0));
  return absl::OkStatus();
}

absl::Status setSeparators(Call &call, JsonStyle &style) {
  const Value *separators = call.argument(2);
  if (!separators || separators->isNone())
    return absl::OkStatus();
  const Sequence *pair = separators->sequence();
  if (!pair || pair->items.size() != 2 || !pair->items[0].text() || !pair->items[1].text())
    return call.fault("needs two strings as separators");
  style.item_separator = *pair->items[0].text();
  style.key_separator = *pair->items[1].text();
  return absl::OkStatus();
}

Result json(Call &call) {
  JsonStyle style;
  style.ensure_ascii = call.flag(0, false);
  style.sort_keys = call.flag(3, false);
  LATHE_RETURN_IF_ERROR(setIndent(call, style));
  LATHE_RETURN_IF_ERROR(setSeparators(call, style));
  LATHE_ASSIGN_OR_RETURN(std::string text, toJson(call.budget, call.subject, style));
  return Value(std::move(text));
}

constexpr Function kFilters[] = {
    {"upper", changed<upperCase>},
    {"lower", changed<lowerCase>},
    {"title", changed<filterTitle>},
    {"capitalize", changed<capitalized>},
    {"trim", trim, {"chars"}},
    {"replace", replace, {"old", "new", "count"}, 2},
    {"string", toString},
    {"safe", safe},
    {"escape", escape},
    {"e", escape},
    {"indent", indent, {"width", "first", "blank"}},
    {"center", center, {"width"}},
    {"wordcount", wordCount},
    {"format", format, {}, kVariadic},
    {"tojson", json, {"ensure_ascii", "indent", "separators", "sort_keys"}},
};

} // namespace

absl::Span<const Function> textFilters() { return kFilters; }

} // namespace lathe::text
