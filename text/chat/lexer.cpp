#include "text/chat/lexer.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

#include "base/status.h"
#include "text/chat/python_text.h"
#include "text/chat/string_escape.h"

namespace lathe::text {
namespace {

constexpr size_t kNone = absl::string_view::npos;

std::string withUnixLines(absl::string_view source) {
  std::string text = absl::StrReplaceAll(source, {{"\r\n", "\n"}, {"\r", "\n"}});
  if (absl::EndsWith(text, "\n"))
    text.pop_back();
  return text;
}

class Lexer {
public:
  explicit Lexer(absl::string_view source) : source_(withUnixLines(source)) {}

  absl::StatusOr<std::vector<Token>> run() {
    while (at_ < source_.size())
      LATHE_RETURN_IF_ERROR(lexRoot());
    push(TokenKind::End, "");
    return std::move(tokens_);
  }

private:
  absl::string_view rest() const { return absl::string_view(source_).substr(at_); }
  absl::string_view restFrom(size_t at) const { return absl::string_view(source_).substr(at); }

  void push(TokenKind kind, absl::string_view text) {
    tokens_.push_back({kind, std::string(text), line_});
  }

  absl::Status fault(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("line ", line_, ": ", what));
  }

  // Moves on by `count` bytes.
  void skip(size_t count) {
    if (count == 0)
      return;
    absl::string_view skipped = rest().substr(0, count);
    line_ += static_cast<int>(std::count(skipped.begin(), skipped.end(), '\n'));
    line_starting_ = skipped.back() == '\n';
    at_ += count;
  }

  void skipSpace() { skip(rest().size() - stripLeft(rest(), nullptr).size()); }

  // Bytes of an end tag here (0: none), with the white space that it takes along.
  size_t endTagLength(absl::string_view text, absl::string_view tag, bool is_variable) const {
    if (absl::StartsWith(text, absl::StrCat("-", tag))) {
      absl::string_view behind = text.substr(tag.size() + 1);
      return text.size() - stripLeft(behind, nullptr).size();
    }
    if (!is_variable && absl::StartsWith(text, absl::StrCat("+", tag)))
      return tag.size() + 1;
    if (!absl::StartsWith(text, tag))
      return 0;
    bool trims = !is_variable && text.substr(tag.size(), 1) == "\n";
    return tag.size() + trims;
  }

  static size_t signLength(absl::string_view text) {
    return !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  }

  // What is left of the data in front of a tag with this sign.
  absl::string_view strippedData(absl::string_view data, absl::string_view sign,
                                 bool is_variable) const {
    if (sign == "-")
      return stripRight(data, nullptr);
    if (sign == "+" || is_variable)
      return data;
    size_t line_begin = data.rfind('\n') == kNone ? 0 : data.rfind('\n') + 1;
    bool at_line_begin = line_begin > 0 || line_starting_;
    bool only_space = stripLeft(data.substr(line_begin), nullptr).empty();
    return at_line_begin && only_space ? data.substr(0, line_begin) : data;
  }

  void pushData(absl::string_view data) {
    if (!data.empty())
      push(TokenKind::Data, data);
  }

  size_t findTag() const {
    for (size_t at = at_; (at = source_.find('{', at)) != kNone; ++at)
      if (at + 1 < source_.size() && absl::StrContains("%{#", source_[at + 1]))
        return at;
    return kNone;
  }

  absl::Status lexRoot() {
    size_t tag = findTag();
    if (tag == kNone) {
      pushData(rest());
      at_ = source_.size();
      return absl::OkStatus();
    }
    char type = source_[tag + 1];
    size_t sign_length = signLength(restFrom(tag + 2));
    absl::string_view sign = restFrom(tag + 2).substr(0, sign_length);
    pushData(strippedData(rest().substr(0, tag - at_), sign, type == '{'));
    skip(tag + 2 + sign_length - at_);
    if (type == '#')
      return lexComment();
    if (size_t raw = rawBeginLength(); type == '%' && raw > 0) {
      skip(raw);
      return lexRaw();
    }
    bool is_variable = type == '{';
    push(is_variable ? TokenKind::VariableBegin : TokenKind::BlockBegin, is_variable ? "{{" : "{%");
    return lexTag(is_variable);
  }

  absl::Status lexComment() {
    for (size_t at = at_; at < source_.size(); ++at)
      if (size_t length = endTagLength(restFrom(at), "#}", false)) {
        skip(at + length - at_);
        return absl::OkStatus();
      }
    return fault("a comment '{#' is not closed with '#}'");
  }

  // Behind "{%": the length of " raw %}".
  size_t rawBeginLength() const {
    absl::string_view text = stripLeft(rest(), nullptr);
    if (!absl::ConsumePrefix(&text, "raw"))
      return 0;
    text = stripLeft(text, nullptr);
    if (absl::ConsumePrefix(&text, "-%}"))
      return rest().size() - stripLeft(text, nullptr).size();
    return absl::ConsumePrefix(&text, "%}") ? rest().size() - text.size() : 0;
  }

  absl::Status lexRaw() {
    for (size_t at = at_; (at = source_.find("{%", at)) != kNone; ++at) {
      absl::string_view text = restFrom(at + 2);
      absl::string_view sign = text.substr(0, signLength(text));
      text = stripLeft(text.substr(sign.size()), nullptr);
      if (!absl::ConsumePrefix(&text, "endraw"))
        continue;
      text = stripLeft(text, nullptr);
      size_t end = endTagLength(text, "%}", false);
      if (end == 0)
        continue;
      pushData(strippedData(rest().substr(0, at - at_), sign, false));
      skip(source_.size() - text.size() + end - at_);
      return absl::OkStatus();
    }
    return fault("'{% raw %}' is not closed with '{% endraw %}'");
  }

  // From behind "{{" or "{%" to behind its end.
  absl::Status lexTag(bool is_variable) {
    absl::string_view tag = is_variable ? "}}" : "%}";
    std::string open; // the closing brackets that are still to come
    while (at_ < source_.size()) {
      size_t end = open.empty() ? endTagLength(rest(), tag, is_variable) : 0;
      if (end > 0) {
        push(is_variable ? TokenKind::VariableEnd : TokenKind::BlockEnd, tag);
        skip(end);
        return absl::OkStatus();
      }
      LATHE_RETURN_IF_ERROR(lexExpressionToken(open));
    }
    return fault(absl::StrCat("a tag is not closed with '", tag, "'"));
  }

  absl::Status lexExpressionToken(std::string &open) {
    size_t length = 0;
    char32_t c = decodeAt(source_, at_, &length);
    if (isPythonSpace(c)) {
      skipSpace();
      return absl::OkStatus();
    }
    if (c < 0x80 && absl::ascii_isdigit(c))
      return lexNumber();
    if (c == '_' || isAlphabetic(c))
      return lexName();
    if (c == '\'' || c == '"')
      return lexString(static_cast<char>(c));
    return lexOperator(open);
  }

  absl::Status lexName() {
    size_t end = at_, length = 0;
    while (end < source_.size()) {
      char32_t c = decodeAt(source_, end, &length);
      if (c != '_' && !isAlphabetic(c) && !isDecimalDigit(c))
        break;
      end += length;
    }
    push(TokenKind::Name, rest().substr(0, end - at_));
    skip(end - at_);
    return absl::OkStatus();
  }

  // Digits with single underscores between them.
  static size_t digitsLength(absl::string_view text) {
    size_t at = 0;
    while (at < text.size() && (absl::ascii_isdigit(text[at]) ||
                                (text[at] == '_' && at > 0 && text[at - 1] != '_' &&
                                 at + 1 < text.size() && absl::ascii_isdigit(text[at + 1]))))
      ++at;
    return at;
  }

  static size_t exponentLength(absl::string_view text) {
    if (text.empty() || absl::ascii_tolower(text[0]) != 'e')
      return 0;
    size_t sign = signLength(text.substr(1));
    size_t digits = digitsLength(text.substr(1 + sign));
    return digits ? 1 + sign + digits : 0;
  }

  absl::Status lexNumber() {
    absl::string_view text = rest();
    if (text.size() > 1 && text[0] == '0' && absl::StrContains("xXoObB", text[1]))
      return fault("a number is written with 0x, 0o or 0b; write it in decimal digits");
    size_t length = digitsLength(text);
    bool follows_dot = at_ > 0 && source_[at_ - 1] == '.';
    size_t fraction = 0;
    if (text.substr(length, 1) == "." && digitsLength(text.substr(length + 1)) > 0)
      fraction = 1 + digitsLength(text.substr(length + 1));
    size_t exponent = exponentLength(text.substr(length + fraction));
    bool is_float = !follows_dot && fraction + exponent > 0;
    if (is_float)
      length += fraction + exponent;
    else if (length > 1 && text[0] == '0' &&
             text.substr(0, length).find_first_not_of("0_") != kNone)
      return fault("a number begins with 0");
    push(is_float ? TokenKind::Float : TokenKind::Integer,
         absl::StrReplaceAll(text.substr(0, length), {{"_", ""}}));
    skip(length);
    return absl::OkStatus();
  }

  absl::Status lexString(char quote) {
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote)
      end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size())
      return fault("a string is not closed");
    auto text = unescapeString(rest().substr(1, end - at_ - 1));
    if (!text.ok())
      return fault(text.status().message());
    push(TokenKind::String, *text);
    skip(end + 1 - at_);
    return absl::OkStatus();
  }

  absl::Status lexOperator(std::string &open) {
    static constexpr std::array<absl::string_view, 24> kOperators = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~",
        "[",  "]",  "(",  ")",  "{",  "}",  ">", "<", "=", ".", ":", "|"};
    for (absl::string_view op : kOperators)
      if (absl::StartsWith(rest(), op))
        return pushOperator(op, open);
    if (rest()[0] == ',' || rest()[0] == ';')
      return pushOperator(rest().substr(0, 1), open);
    size_t length = 0;
    decodeAt(source_, at_, &length);
    return fault(absl::StrCat("unexpected character '", rest().substr(0, length), "'"));
  }

  absl::Status pushOperator(absl::string_view op, std::string &open) {
    static constexpr absl::string_view kOpening = "([{", kClosing = ")]}";
    if (size_t which = kOpening.find(op); op.size() == 1 && which != kNone)
      open += kClosing[which];
    if (op.size() == 1 && absl::StrContains(kClosing, op)) {
      if (open.empty())
        return fault(absl::StrCat("unexpected '", op, "'"));
      if (open.back() != op[0])
        return fault(
            absl::StrCat("unexpected '", op, "'; expected '", open.substr(open.size() - 1), "'"));
      open.pop_back();
    }
    push(TokenKind::Operator, op);
    skip(op.size());
    return absl::OkStatus();
  }

  std::string source_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true; // the last thing skipped ended a line
  std::vector<Token> tokens_;
};

} // namespace

absl::StatusOr<std::vector<Token>> tokenize(absl::string_view source) {
  return Lexer(source).run();
}

} // namespace lathe::text
