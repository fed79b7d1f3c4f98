// Text as Python's str sees it: UTF-8 inside, counted, cut and cased by code point.
// Every function expects valid UTF-8; chat_template.cpp checks what comes from outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace lathe::text {

// Offset of the first byte that is not valid UTF-8, or npos.
size_t findInvalidUtf8(absl::string_view text);

// The code point at `offset` and, in `length`, its bytes.
char32_t decodeAt(absl::string_view text, size_t offset, size_t *length);
void appendCodePoint(std::string &out, char32_t code_point);

size_t codePointCount(absl::string_view text);
// One view per code point, into `text`.
std::vector<absl::string_view> splitCodePoints(absl::string_view text);

// str.isspace() and str.isprintable() of one character.
bool isPythonSpace(char32_t code_point);
bool isPythonPrintable(char32_t code_point);
bool isAlphabetic(char32_t code_point);
bool isDecimalDigit(char32_t code_point);
bool isUpperCase(char32_t code_point);
bool isLowerCase(char32_t code_point);

// str.lstrip / str.rstrip. `chars` null: white space.
absl::string_view stripLeft(absl::string_view text, const absl::string_view *chars);
absl::string_view stripRight(absl::string_view text, const absl::string_view *chars);
absl::string_view strip(absl::string_view text);

// Case mapping is one code point to one, but for the sharp s, whose capital is "SS".
std::string upperCase(absl::string_view text);
std::string lowerCase(absl::string_view text);
std::string capitalized(absl::string_view text);
std::string swapCase(absl::string_view text);
// str.title(): a word begins after anything that is no letter.
std::string titleCase(absl::string_view text);

// str.splitlines().
std::vector<absl::string_view> splitLines(absl::string_view text, bool keep_ends = false);
// str.split() without a separator: runs of white space; max_split < 0 means all.
std::vector<absl::string_view> splitWords(absl::string_view text, int64_t max_split);
std::vector<absl::string_view> splitWordsFromRight(absl::string_view text, int64_t max_split);

} // namespace lathe::text
