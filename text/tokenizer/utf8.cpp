#include "text/tokenizer/utf8.h"

#include "absl/strings/match.h"

namespace lathe::text {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

struct Sequence {
  size_t length; // of the character, or of the maximal invalid part
  bool valid;
};

// Length and range of the second byte for each first byte: Unicode 15, table 3-7.
Sequence sequenceAt(absl::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  uint8_t first = byte(0);
  if (first < 0x80)
    return {1, true};
  if (first < 0xC2 || first > 0xF4)
    return {1, false};
  size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < length; ++i) {
    if (at + i >= text.size() || byte(i) < low || byte(i) > high)
      return {i, false};
    low = 0x80, high = 0xBF;
  }
  return {length, true};
}

} // namespace

Decoded decodeAt(absl::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  uint8_t first = byte(0);
  if (first < 0x80)
    return {first, 1};
  if (first < 0xE0)
    return {char32_t((first & 0x1F) << 6 | (byte(1) & 0x3F)), 2};
  if (first < 0xF0)
    return {char32_t((first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F)), 3};
  return {char32_t((first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
                   (byte(3) & 0x3F)),
          4};
}

void appendUtf8(std::string &out, char32_t character) {
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else if (character < 0x800) {
    out += static_cast<char>(0xC0 | character >> 6);
    out += static_cast<char>(0x80 | (character & 0x3F));
  } else if (character < 0x10000) {
    out += static_cast<char>(0xE0 | character >> 12);
    out += static_cast<char>(0x80 | (character >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (character & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | character >> 18);
    out += static_cast<char>(0x80 | (character >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (character >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (character & 0x3F));
  }
}

size_t validPrefix(absl::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    Sequence next = sequenceAt(text, at);
    if (!next.valid)
      break;
    at += next.length;
  }
  return at;
}

std::string repairUtf8(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    size_t good = validPrefix(text.substr(at));
    out.append(text.data() + at, good);
    at += good;
    if (at == text.size())
      break;
    out.append(kReplacement.data(), kReplacement.size());
    at += sequenceAt(text, at).length;
  }
  return out;
}

size_t nextBoundary(absl::string_view text, size_t at) {
  while (at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80)
    ++at;
  return at;
}

bool endsInReplacement(absl::string_view text) { return absl::EndsWith(text, kReplacement); }

} // namespace lathe::text
