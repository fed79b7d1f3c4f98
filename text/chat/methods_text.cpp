// The methods of str.
#include "text/chat/method_tables.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "text/chat/operators.h"
#include "text/chat/python_text.h"
#include "text/chat/repr.h"
#include "text/chat/text_format.h"
#include "text/chat/text_replace.h"

namespace lathe::text {
namespace {

using Result = absl::StatusOr<Value>;
using Views = std::vector<absl::string_view>;

const std::string &self(const Call &call) { return *call.subject.text(); }

// What a method makes of markup is markup.
Value made(const Call &call, std::string text) {
  return Value(std::move(text), call.subject.isMarkup());
}

template <std::string (*change)(absl::string_view)> Result changed(Call &call) {
  LATHE_RETURN_IF_ERROR(call.budget.spendText(self(call).size()));
  return made(call, change(self(call)));
}

Result stripped(Call &call, bool left, bool right) {
  LATHE_RETURN_IF_ERROR(call.budget.spendText(self(call).size()));
  absl::string_view text = self(call), chars;
  bool has_chars = call.argument(0) && !call.argument(0)->isNone();
  if (has_chars) {
    LATHE_ASSIGN_OR_RETURN(chars, call.text(0, ""));
  }
  const absl::string_view *set = has_chars ? &chars : nullptr;
  if (left)
    text = stripLeft(text, set);
  if (right)
    text = stripRight(text, set);
  return made(call, std::string(text));
}
Result stripBoth(Call &call) { return stripped(call, true, true); }
Result stripLeftOnly(Call &call) { return stripped(call, true, false); }
Result stripRightOnly(Call &call) { return stripped(call, false, true); }

// One string or a tuple of them.
template <bool (*matches)(absl::string_view, absl::string_view)> Result matchesAny(Call &call) {
  LATHE_RETURN_IF_ERROR(call.budget.spend(1));
  const Sequence *choices = call.argument(0)->sequence();
  if (!choices || choices->kind != SequenceKind::Tuple) {
    LATHE_ASSIGN_OR_RETURN(absl::string_view affix, call.text(0, ""));
    return Value(matches(self(call), affix));
  }
  for (const Value &choice : choices->items) {
    LATHE_RETURN_IF_ERROR(call.budget.spend(1));
    if (!choice.text())
      return call.fault("needs a str or a tuple of them");
    if (matches(self(call), *choice.text()))
      return Value(true);
  }
  return Value(false);
}
bool startsWith(absl::string_view text, absl::string_view affix) {
  return absl::StartsWith(text, affix);
}
bool endsWith(absl::string_view text, absl::string_view affix) {
  return absl::EndsWith(text, affix);
}

Views splitAt(absl::string_view text, absl::string_view separator, int64_t max_split) {
  Views parts;
  size_t at = 0;
  while (max_split < 0 || static_cast<int64_t>(parts.size()) < max_split) {
    size_t found = text.find(separator, at);
    if (found == absl::string_view::npos)
      break;
    parts.push_back(text.substr(at, found - at));
    at = found + separator.size();
  }
  parts.push_back(text.substr(at));
  return parts;
}

Views splitAtFromRight(absl::string_view text, absl::string_view separator, int64_t max_split) {
  Views parts;
  while (max_split < 0 || static_cast<int64_t>(parts.size()) < max_split) {
    size_t found = text.rfind(separator);
    if (found == absl::string_view::npos)
      break;
    parts.push_back(text.substr(found + separator.size()));
    text = text.substr(0, found);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

Result listOf(Call &call, const Views &parts, SequenceKind kind = SequenceKind::List) {
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(parts.size()));
  LATHE_RETURN_IF_ERROR(call.budget.spendText(self(call).size()));
  std::vector<Value> items;
  for (absl::string_view part : parts)
    items.push_back(made(call, std::string(part)));
  return makeSequence(kind, std::move(items));
}

Result splitted(Call &call, bool from_right) {
  LATHE_RETURN_IF_ERROR(call.budget.spend(self(call).size() / 16));
  LATHE_ASSIGN_OR_RETURN(int64_t max_split, call.integer(1, -1));
  if (!call.argument(0) || call.argument(0)->isNone())
    return listOf(call, from_right ? splitWordsFromRight(self(call), max_split)
                                   : splitWords(self(call), max_split));
  LATHE_ASSIGN_OR_RETURN(absl::string_view separator, call.text(0, ""));
  if (separator.empty())
    return call.fault("is given an empty separator");
  return listOf(call, from_right ? splitAtFromRight(self(call), separator, max_split)
                                 : splitAt(self(call), separator, max_split));
}
Result split(Call &call) { return splitted(call, false); }
Result splitFromRight(Call &call) { return splitted(call, true); }

Result lines(Call &call) {
  LATHE_RETURN_IF_ERROR(call.budget.spend(self(call).size() / 16));
  return listOf(call, splitLines(self(call), call.flag(0, false)));
}

Result partitioned(Call &call, bool from_right) {
  LATHE_ASSIGN_OR_RETURN(absl::string_view separator, call.text(0, ""));
  if (separator.empty())
    return call.fault("is given an empty separator");
  absl::string_view text = self(call);
  size_t found = from_right ? text.rfind(separator) : text.find(separator);
  if (found == absl::string_view::npos)
    return listOf(call, from_right ? Views{"", "", text} : Views{text, "", ""},
                  SequenceKind::Tuple);
  return listOf(call, {text.substr(0, found), separator, text.substr(found + separator.size())},
                SequenceKind::Tuple);
}
Result partition(Call &call) { return partitioned(call, false); }
Result partitionFromRight(Call &call) { return partitioned(call, true); }

Result replace(Call &call) {
  LATHE_ASSIGN_OR_RETURN(absl::string_view from, call.text(0, ""));
  LATHE_ASSIGN_OR_RETURN(absl::string_view to, call.text(1, ""));
  LATHE_ASSIGN_OR_RETURN(int64_t count, call.integer(2, -1));
  bool escapes = call.subject.isMarkup() && !call.argument(1)->isMarkup();
  std::string escaped = escapes ? escapeHtml(to) : std::string(to);
  LATHE_ASSIGN_OR_RETURN(std::string out,
                         replaceText(call.budget, self(call), from, escaped, count));
  return made(call, std::move(out));
}

Result join(Call &call) {
  LATHE_ASSIGN_OR_RETURN(auto items, iterate(call.budget, *call.argument(0)));
  std::string out;
  for (const Value &item : items->items) {
    if (!item.text())
      return call.fault(absl::StrCat("needs strings but finds a ", typeName(item)));
    LATHE_RETURN_IF_ERROR(call.budget.spend(1 + (item.text()->size() + self(call).size()) / 64));
    absl::StrAppend(&out, &item == items->items.data() ? "" : self(call), *item.text());
    if (out.size() > call.budget.limits().output_bytes)
      LATHE_RETURN_IF_ERROR(call.budget.spendText(out.size()));
  }
  return made(call, std::move(out));
}

absl::StatusOr<int64_t> placeOf(Call &call, bool from_right) {
  LATHE_ASSIGN_OR_RETURN(absl::string_view wanted, call.text(0, ""));
  LATHE_RETURN_IF_ERROR(call.budget.spend(self(call).size() / 16));
  absl::string_view text = self(call);
  size_t found = from_right ? text.rfind(wanted) : text.find(wanted);
  return found == text.npos ? -1 : static_cast<int64_t>(codePointCount(text.substr(0, found)));
}
template <bool from_right, bool must_exist> Result find(Call &call) {
  LATHE_ASSIGN_OR_RETURN(int64_t place, placeOf(call, from_right));
  if (must_exist && place < 0)
    return call.fault("finds no such text");
  return Value(place);
}

Result count(Call &call) {
  LATHE_ASSIGN_OR_RETURN(absl::string_view wanted, call.text(0, ""));
  LATHE_RETURN_IF_ERROR(call.budget.spend(self(call).size() / 16));
  if (wanted.empty())
    return Value(static_cast<int64_t>(codePointCount(self(call)) + 1));
  return Value(static_cast<int64_t>(splitAt(self(call), wanted, -1).size() - 1));
}

template <bool (*test)(char32_t)> Result all(Call &call) {
  LATHE_RETURN_IF_ERROR(call.budget.spend(self(call).size() / 16));
  for (size_t at = 0, length = 0; at < self(call).size(); at += length)
    if (!test(decodeAt(self(call), at, &length)))
      return Value(false);
  return Value(!self(call).empty());
}
bool isAlphanumeric(char32_t c) { return isAlphabetic(c) || isDecimalDigit(c); }

// At least one letter of the case, and none of the other.
template <bool (*wanted)(char32_t), bool (*other)(char32_t)> Result cased(Call &call) {
  LATHE_RETURN_IF_ERROR(call.budget.spend(self(call).size() / 16));
  bool found = false;
  for (size_t at = 0, length = 0; at < self(call).size(); at += length) {
    char32_t c = decodeAt(self(call), at, &length);
    if (other(c))
      return Value(false);
    found |= wanted(c);
  }
  return Value(found);
}

Result removePrefix(Call &call) {
  LATHE_ASSIGN_OR_RETURN(absl::string_view prefix, call.text(0, ""));
  LATHE_RETURN_IF_ERROR(call.budget.spendText(self(call).size()));
  return made(call, startsWith(self(call), prefix) ? self(call).substr(prefix.size()) : self(call));
}

Result removeSuffix(Call &call) {
  LATHE_ASSIGN_OR_RETURN(absl::string_view suffix, call.text(0, ""));
  LATHE_RETURN_IF_ERROR(call.budget.spendText(self(call).size()));
  bool ends = endsWith(self(call), suffix);
  return made(call, self(call).substr(0, self(call).size() - (ends ? suffix.size() : 0)));
}

template <bool at_left> Result justify(Call &call) {
  LATHE_ASSIGN_OR_RETURN(int64_t width, call.integer(0, 0));
  LATHE_ASSIGN_OR_RETURN(absl::string_view fill, call.text(1, " "));
  if (codePointCount(fill) != 1)
    return call.fault("needs one character to fill with");
  int64_t missing = width - std::min<int64_t>(width, codePointCount(self(call)));
  LATHE_ASSIGN_OR_RETURN(std::string out, padText(call.budget, self(call), at_left ? 0 : missing,
                                                  at_left ? missing : 0, fill));
  return made(call, std::move(out));
}

Result center(Call &call) {
  LATHE_ASSIGN_OR_RETURN(int64_t width, call.integer(0, 0));
  return centerText(call.budget, self(call), width);
}

Result zeroFill(Call &call) {
  LATHE_ASSIGN_OR_RETURN(int64_t width, call.integer(0, 0));
  absl::string_view text = self(call);
  size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  int64_t missing = width - std::min<int64_t>(width, codePointCount(text));
  LATHE_ASSIGN_OR_RETURN(std::string digits,
                         padText(call.budget, text.substr(sign), missing, 0, "0"));
  return made(call, absl::StrCat(text.substr(0, sign), digits));
}

constexpr Function kMethods[] = {
    {"upper", changed<upperCase>},
    {"lower", changed<lowerCase>},
    {"title", changed<titleCase>},
    {"capitalize", changed<capitalized>},
    {"swapcase", changed<swapCase>},
    {"strip", stripBoth, {"chars"}},
    {"lstrip", stripLeftOnly, {"chars"}},
    {"rstrip", stripRightOnly, {"chars"}},
    {"startswith", matchesAny<startsWith>, {"prefix"}, 1},
    {"endswith", matchesAny<endsWith>, {"suffix"}, 1},
    {"split", split, {"sep", "maxsplit"}},
    {"rsplit", splitFromRight, {"sep", "maxsplit"}},
    {"splitlines", lines, {"keepends"}},
    {"partition", partition, {"sep"}, 1},
    {"rpartition", partitionFromRight, {"sep"}, 1},
    {"replace", replace, {"old", "new", "count"}, 2},
    {"join", join, {"iterable"}, 1},
    {"find", find<false, false>, {"sub"}, 1},
    {"rfind", find<true, false>, {"sub"}, 1},
    {"index", find<false, true>, {"sub"}, 1},
    {"rindex", find<true, true>, {"sub"}, 1},
    {"count", count, {"sub"}, 1},
    {"isalpha", all<isAlphabetic>},
    {"isdigit", all<isDecimalDigit>},
    {"isdecimal", all<isDecimalDigit>},
    {"isnumeric", all<isDecimalDigit>},
    {"isalnum", all<isAlphanumeric>},
    {"isspace", all<isPythonSpace>},
    {"isupper", cased<isUpperCase, isLowerCase>},
    {"islower", cased<isLowerCase, isUpperCase>},
    {"removeprefix", removePrefix, {"prefix"}, 1},
    {"removesuffix", removeSuffix, {"suffix"}, 1},
    {"ljust", justify<true>, {"width", "fillchar"}, 1},
    {"rjust", justify<false>, {"width", "fillchar"}, 1},
    {"center", center, {"width"}, 1},
    {"zfill", zeroFill, {"width"}, 1},
    {"format", formatFields, {}, kVariadic},
};

} // namespace

absl::Span<const Function> textMethods() { return kMethods; }

} // namespace lathe::text
