#include "text/tokenizer/charsmap.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "text/tokenizer/unicode.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

// The fields of a unit (darts-clone).
bool hasLeaf(uint32_t unit) { return unit >> 8 & 1; }
uint32_t valueOf(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t labelOf(uint32_t unit) { return unit & 0x800000FF; }
size_t offsetOf(uint32_t unit) { return size_t(unit >> 10) << ((unit & 0x200) >> 6); }

uint32_t loadLittleEndian(absl::string_view bytes, size_t at) {
  auto byte = [&](size_t i) { return uint32_t(static_cast<uint8_t>(bytes[at + i])); };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

} // namespace

absl::StatusOr<CharsMap> CharsMap::decode(absl::string_view base64) {
  std::string bytes;
  if (!absl::Base64Unescape(base64, &bytes))
    return absl::InvalidArgumentError("is not base64");
  if (bytes.size() < 4)
    return absl::InvalidArgumentError(
        absl::StrCat("holds ", bytes.size(), " bytes; should hold at least 4"));
  size_t trie = loadLittleEndian(bytes, 0);
  if (trie % 4 != 0 || trie > bytes.size() - 4)
    return absl::InvalidArgumentError(
        absl::StrCat("says that its trie has ", trie, " bytes but holds ", bytes.size() - 4));
  CharsMap map;
  for (size_t at = 4; at < 4 + trie; at += 4)
    map.units_.push_back(loadLittleEndian(bytes, at));
  map.replacements_ = bytes.substr(4 + trie);
  if (validPrefix(map.replacements_) != map.replacements_.size())
    return absl::InvalidArgumentError("has replacements that are not UTF-8");
  return map;
}

std::optional<absl::string_view> CharsMap::replacement(absl::string_view part) const {
  size_t node = offsetOf(unit(0));
  for (char c : part) {
    uint8_t byte = static_cast<uint8_t>(c);
    node ^= byte;
    uint32_t current = unit(node);
    if (byte == 0 || labelOf(current) != byte)
      return std::nullopt;
    node ^= offsetOf(current);
    if (!hasLeaf(current))
      continue;
    size_t begin = valueOf(unit(node));
    if (begin > replacements_.size() || nextBoundary(replacements_, begin) != begin)
      return std::nullopt; // a broken map: the text stays as it is
    absl::string_view rest = absl::string_view(replacements_).substr(begin);
    return rest.substr(0, rest.find('\0'));
  }
  return std::nullopt;
}

std::string CharsMap::apply(absl::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (absl::string_view grapheme : graphemes(text)) {
    std::optional<absl::string_view> whole;
    if (grapheme.size() < 6)
      whole = replacement(grapheme);
    if (whole) {
      absl::StrAppend(&out, *whole);
      continue;
    }
    for (size_t at = 0; at < grapheme.size();) {
      absl::string_view part = grapheme.substr(at, decodeAt(grapheme, at).length);
      at += part.size();
      absl::StrAppend(&out, replacement(part).value_or(part));
    }
  }
  return out;
}

} // namespace lathe::text
