// What characters are (categories, case, normal forms), from utf8proc's Unicode tables.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace lathe::text {

bool isWhitespace(char32_t character);  // the property White_Space
bool isNumeric(char32_t character);     // Nd, Nl, No
bool isPunctuation(char32_t character); // P*, and all of ASCII's punctuation ($ + < = > ^ ` | ~)
bool isMark(char32_t character);        // M*
bool isWord(char32_t character);        // what \w means in Rust's regex

// All texts are valid UTF-8.
std::string lowercase(absl::string_view text);

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };
std::string normalForm(absl::string_view text, NormalForm form);

// Extended grapheme clusters (UAX 29) that cover the text, in order.
std::vector<absl::string_view> graphemes(absl::string_view text);

} // namespace lathe::text
