#include "text/chat/python_text.h"

#include <algorithm>

#include <utf8proc.h>

namespace lathe::text {
namespace {

bool isContinuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

utf8proc_category_t categoryOf(char32_t code_point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
}

bool isCased(char32_t code_point) {
  return isUpperCase(code_point) || isLowerCase(code_point) ||
         categoryOf(code_point) == UTF8PROC_CATEGORY_LT;
}

void appendUpper(std::string &out, char32_t code_point) {
  if (code_point == 0xDF)
    out += "SS";
  else
    appendCodePoint(out, utf8proc_toupper(static_cast<utf8proc_int32_t>(code_point)));
}

void appendLower(std::string &out, char32_t code_point) {
  appendCodePoint(out, utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point)));
}

void appendTitle(std::string &out, char32_t code_point) {
  if (code_point == 0xDF)
    out += "Ss";
  else
    appendCodePoint(out, utf8proc_totitle(static_cast<utf8proc_int32_t>(code_point)));
}

template <typename Action> void forEachCodePoint(absl::string_view text, Action action) {
  for (size_t at = 0, length = 0; at < text.size(); at += length)
    action(decodeAt(text, at, &length));
}

bool isStripped(absl::string_view character, const absl::string_view *chars) {
  size_t length = 0;
  if (chars)
    return chars->find(character) != absl::string_view::npos;
  return isPythonSpace(decodeAt(character, 0, &length));
}

size_t lastCharacterStart(absl::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && isContinuation(text[at]))
    --at;
  return at;
}

bool isLineEnd(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

} // namespace

size_t findInvalidUtf8(absl::string_view text) {
  const auto *bytes = reinterpret_cast<const utf8proc_uint8_t *>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t code_point;
    utf8proc_ssize_t length = utf8proc_iterate(bytes + at, text.size() - at, &code_point);
    if (length <= 0)
      return at;
    at += length;
  }
  return absl::string_view::npos;
}

char32_t decodeAt(absl::string_view text, size_t offset, size_t *length) {
  uint8_t first = text[offset];
  size_t wanted = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  *length = std::min(wanted, text.size() - offset);
  char32_t code_point = first < 0x80 ? first : first & (0xFF >> (wanted + 1));
  for (size_t i = 1; i < *length; ++i)
    code_point = code_point << 6 | (static_cast<uint8_t>(text[offset + i]) & 0x3F);
  return code_point;
}

void appendCodePoint(std::string &out, char32_t code_point) {
  utf8proc_uint8_t bytes[4];
  utf8proc_ssize_t length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes);
  out.append(reinterpret_cast<const char *>(bytes), length);
}

size_t codePointCount(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !isContinuation(c); });
}

std::vector<absl::string_view> splitCodePoints(absl::string_view text) {
  std::vector<absl::string_view> parts;
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    decodeAt(text, at, &length);
    parts.push_back(text.substr(at, length));
  }
  return parts;
}

bool isPythonSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

bool isPythonPrintable(char32_t c) {
  switch (categoryOf(c)) {
  case UTF8PROC_CATEGORY_CC:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_CS:
  case UTF8PROC_CATEGORY_CO:
  case UTF8PROC_CATEGORY_CN:
  case UTF8PROC_CATEGORY_ZL:
  case UTF8PROC_CATEGORY_ZP: return false;
  case UTF8PROC_CATEGORY_ZS: return c == ' ';
  default: return true;
  }
}

bool isAlphabetic(char32_t c) {
  auto category = categoryOf(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool isDecimalDigit(char32_t c) { return categoryOf(c) == UTF8PROC_CATEGORY_ND; }

bool isUpperCase(char32_t c) { return categoryOf(c) == UTF8PROC_CATEGORY_LU; }

bool isLowerCase(char32_t c) { return categoryOf(c) == UTF8PROC_CATEGORY_LL; }

absl::string_view stripLeft(absl::string_view text, const absl::string_view *chars) {
  while (!text.empty()) {
    size_t length = 0;
    decodeAt(text, 0, &length);
    if (!isStripped(text.substr(0, length), chars))
      break;
    text.remove_prefix(length);
  }
  return text;
}

absl::string_view stripRight(absl::string_view text, const absl::string_view *chars) {
  while (!text.empty()) {
    size_t start = lastCharacterStart(text);
    if (!isStripped(text.substr(start), chars))
      break;
    text = text.substr(0, start);
  }
  return text;
}

absl::string_view strip(absl::string_view text) {
  return stripRight(stripLeft(text, nullptr), nullptr);
}

std::string upperCase(absl::string_view text) {
  std::string out;
  forEachCodePoint(text, [&](char32_t c) { appendUpper(out, c); });
  return out;
}

std::string lowerCase(absl::string_view text) {
  std::string out;
  forEachCodePoint(text, [&](char32_t c) { appendLower(out, c); });
  return out;
}

std::string capitalized(absl::string_view text) {
  std::string out;
  bool first = true;
  forEachCodePoint(text, [&](char32_t c) {
    first ? appendTitle(out, c) : appendLower(out, c);
    first = false;
  });
  return out;
}

std::string swapCase(absl::string_view text) {
  std::string out;
  forEachCodePoint(text,
                   [&](char32_t c) { isUpperCase(c) ? appendLower(out, c) : appendUpper(out, c); });
  return out;
}

std::string titleCase(absl::string_view text) {
  std::string out;
  bool inside_word = false;
  forEachCodePoint(text, [&](char32_t c) {
    inside_word ? appendLower(out, c) : appendTitle(out, c);
    inside_word = isCased(c);
  });
  return out;
}

std::vector<absl::string_view> splitLines(absl::string_view text, bool keep_ends) {
  std::vector<absl::string_view> lines;
  size_t begin = 0;
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    char32_t c = decodeAt(text, at, &length);
    if (!isLineEnd(c))
      continue;
    size_t end = at;
    if (c == '\r' && text.substr(at + 1, 1) == "\n")
      length = 2;
    lines.push_back(text.substr(begin, (keep_ends ? at + length : end) - begin));
    begin = at + length;
  }
  if (begin < text.size())
    lines.push_back(text.substr(begin));
  return lines;
}

std::vector<absl::string_view> splitWords(absl::string_view text, int64_t max_split) {
  std::vector<absl::string_view> words;
  for (text = stripLeft(text, nullptr); !text.empty(); text = stripLeft(text, nullptr)) {
    if (max_split >= 0 && static_cast<int64_t>(words.size()) == max_split) {
      words.push_back(stripRight(text, nullptr));
      break;
    }
    size_t at = 0, length = 0;
    while (at < text.size() && !isPythonSpace(decodeAt(text, at, &length)))
      at += length;
    words.push_back(text.substr(0, at));
    text.remove_prefix(at);
  }
  return words;
}

std::vector<absl::string_view> splitWordsFromRight(absl::string_view text, int64_t max_split) {
  std::vector<absl::string_view> words;
  for (text = stripRight(text, nullptr); !text.empty(); text = stripRight(text, nullptr)) {
    if (max_split >= 0 && static_cast<int64_t>(words.size()) == max_split) {
      words.push_back(text);
      break;
    }
    size_t begin = text.size(), length = 0;
    while (begin > 0) {
      size_t start = lastCharacterStart(text.substr(0, begin));
      if (isPythonSpace(decodeAt(text, start, &length)))
        break;
      begin = start;
    }
    words.push_back(text.substr(begin));
    text = text.substr(0, begin);
  }
  std::reverse(words.begin(), words.end());
  return words;
}

} // namespace lathe::text
