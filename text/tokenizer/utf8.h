// UTF-8 as bytes: decoding, encoding, and repair of what is not UTF-8.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace lathe::text {

// One character and the bytes it took. Characters are never surrogates and at most U+10FFFF.
struct Decoded {
  char32_t character;
  size_t length;
};

// The character that starts at byte `at` of a valid text; `at` is on a character's first byte.
Decoded decodeAt(absl::string_view text, size_t at);

void appendUtf8(std::string &out, char32_t character);

// Bytes of the longest valid beginning of `text`.
size_t validPrefix(absl::string_view text);

// The text with each maximal invalid part replaced by one U+FFFD (Unicode 15, table 3-8), which is
// what Rust's from_utf8_lossy and Python's errors="replace" do.
std::string repairUtf8(absl::string_view text);

// The first character boundary at or after `at`, in a valid text.
size_t nextBoundary(absl::string_view text, size_t at);

// True when the text ends in U+FFFD.
bool endsInReplacement(absl::string_view text);

} // namespace lathe::text
