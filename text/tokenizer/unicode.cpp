#include "text/tokenizer/unicode.h"

#include <algorithm>

#include <utf8proc.h>

#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

bool isAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<int8_t>(c) >= 0; });
}

bool isWithin(char32_t character, char32_t first, char32_t last) {
  return character >= first && character <= last;
}

utf8proc_category_t categoryOf(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character));
}

bool isBetween(char32_t character, utf8proc_category_t first, utf8proc_category_t last) {
  utf8proc_category_t category = categoryOf(character);
  return category >= first && category <= last;
}

int combiningClass(utf8proc_int32_t character) {
  return utf8proc_get_property(character)->combining_class;
}

// utf8proc orders marks by swapping neighbours, which takes quadratic time on a text made of marks.
void orderMarks(std::vector<utf8proc_int32_t> &characters) {
  auto isMarkWithClass = [](utf8proc_int32_t c) { return combiningClass(c) != 0; };
  auto begin = characters.begin();
  while ((begin = std::find_if(begin, characters.end(), isMarkWithClass)) != characters.end()) {
    auto end = std::find_if_not(begin, characters.end(), isMarkWithClass);
    std::stable_sort(begin, end, [](utf8proc_int32_t a, utf8proc_int32_t b) {
      return combiningClass(a) < combiningClass(b);
    });
    begin = end;
  }
}

std::vector<utf8proc_int32_t> decompose(absl::string_view text, bool compatible) {
  auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE |
                                                (compatible ? UTF8PROC_COMPAT : 0));
  std::vector<utf8proc_int32_t> out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    Decoded next = decodeAt(text, at);
    at += next.length;
    utf8proc_int32_t parts[32]; // the longest decomposition has 18 characters (U+FDFA)
    int last_class = 0;
    auto count = utf8proc_decompose_char(next.character, parts, 32, options, &last_class);
    out.insert(out.end(), parts, parts + std::clamp<utf8proc_ssize_t>(count, 0, 32));
  }
  return out;
}

} // namespace

bool isWhitespace(char32_t c) {
  return isWithin(c, 0x9, 0xD) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         isWithin(c, 0x2000, 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool isNumeric(char32_t c) { return isBetween(c, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO); }

bool isPunctuation(char32_t c) {
  if (c < 0x80)
    return isWithin(c, '!', '/') || isWithin(c, ':', '@') || isWithin(c, '[', '`') ||
           isWithin(c, '{', '~');
  return isBetween(c, UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO);
}

bool isMark(char32_t c) { return isBetween(c, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME); }

// Alphabetic, M, Nd, Pc and Join_Control; the circled letters are Alphabetic though not letters.
bool isWord(char32_t c) {
  utf8proc_category_t category = categoryOf(c);
  return isBetween(c, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_NL) ||
         category == UTF8PROC_CATEGORY_PC || c == 0x200C || c == 0x200D ||
         isWithin(c, 0x24B6, 0x24E9) || isWithin(c, 0x1F130, 0x1F149) ||
         isWithin(c, 0x1F150, 0x1F169) || isWithin(c, 0x1F170, 0x1F189);
}

std::string lowercase(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    Decoded next = decodeAt(text, at);
    at += next.length;
    if (next.character == 0x130)
      out += "i\xCC\x87"; // the one character whose lower case is two
    else
      appendUtf8(out, utf8proc_tolower(next.character));
  }
  return out;
}

std::string normalForm(absl::string_view text, NormalForm form) {
  if (isAscii(text))
    return std::string(text);
  bool compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  bool compose = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  std::vector<utf8proc_int32_t> characters = decompose(text, compatible);
  orderMarks(characters);
  if (compose)
    characters.resize(utf8proc_normalize_utf32(
        characters.data(), characters.size(),
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE)));
  std::string out;
  out.reserve(text.size());
  for (utf8proc_int32_t character : characters)
    appendUtf8(out, character);
  return out;
}

std::vector<absl::string_view> graphemes(absl::string_view text) {
  std::vector<absl::string_view> out;
  utf8proc_int32_t state = 0, previous = 0;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    Decoded next = decodeAt(text, at);
    if (at > 0 && utf8proc_grapheme_break_stateful(previous, next.character, &state)) {
      out.push_back(text.substr(begin, at - begin));
      begin = at;
    }
    previous = next.character;
    at += next.length;
  }
  if (begin < text.size())
    out.push_back(text.substr(begin));
  return out;
}

} // namespace lathe::text
