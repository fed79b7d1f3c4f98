#include "text/chat/string_escape.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

#include "base/status.h"
#include "text/chat/python_text.h"

namespace lathe::text {
namespace {

constexpr absl::string_view kSimple = "\\'\"abfnrtv";
constexpr absl::string_view kSimpleValues = "\\'\"\a\b\f\n\r\t\v";

absl::Status appendChecked(std::string &out, uint32_t code_point) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000))
    return absl::InvalidArgumentError(
        absl::StrCat("an escape names U+", absl::Hex(code_point), ", which is no character"));
  appendCodePoint(out, code_point);
  return absl::OkStatus();
}

absl::Status takeHex(std::string &out, absl::string_view &body, size_t digits) {
  uint32_t code_point = 0;
  absl::string_view text = body.substr(0, digits);
  bool is_hex =
      text.size() == digits && std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
  if (!is_hex || !absl::SimpleHexAtoi(text, &code_point))
    return absl::InvalidArgumentError(absl::StrCat("an escape needs ", digits, " hex digits"));
  body.remove_prefix(digits);
  return appendChecked(out, code_point);
}

absl::Status takeOctal(std::string &out, absl::string_view &body) {
  uint32_t code_point = 0;
  for (int i = 0; i < 3 && !body.empty() && body[0] >= '0' && body[0] <= '7'; ++i) {
    code_point = code_point * 8 + (body[0] - '0');
    body.remove_prefix(1);
  }
  return appendChecked(out, code_point);
}

// `body` begins behind the backslash.
absl::Status takeEscape(std::string &out, absl::string_view &body) {
  char c = body[0];
  if (c >= '0' && c <= '7')
    return takeOctal(out, body);
  body.remove_prefix(1);
  if (size_t which = kSimple.find(c); which != absl::string_view::npos)
    out += kSimpleValues[which];
  else if (c == 'x' || c == 'u' || c == 'U')
    return takeHex(out, body, c == 'x' ? 2 : c == 'u' ? 4 : 8);
  else if (c == 'N')
    return absl::InvalidArgumentError("the escape \\N{...} is not offered; write the character");
  else if (c != '\n')
    (out += '\\') += c;
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<std::string> unescapeString(absl::string_view body) {
  std::string out;
  while (!body.empty()) {
    size_t plain = std::min(body.find('\\'), body.size());
    out.append(body.data(), plain);
    body.remove_prefix(plain);
    if (body.empty())
      break;
    body.remove_prefix(1);
    if (body.empty())
      return absl::InvalidArgumentError("a string ends in a backslash");
    LATHE_RETURN_IF_ERROR(takeEscape(out, body));
  }
  return out;
}

} // namespace lathe::text
