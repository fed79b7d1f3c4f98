// SentencePiece's precompiled character map: a double-array trie from texts to their replacements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lathe::text {

// The format (sentencepiece, src/normalizer.cc): bytes of the trie as a little-endian u32, the
// trie's 32-bit units, then the replacements, each ended by a zero byte. Thread-safe.
class CharsMap {
public:
  // `base64` as it stands in tokenizer.json. Every index in it is hostile and checked when used.
  static absl::StatusOr<CharsMap> decode(absl::string_view base64);

  // The text with every grapheme of fewer than six bytes, or else every character, replaced by what
  // the map has for the shortest of its beginnings: so do Hugging Face tokenizers, and so the
  // models were fed. `text` is valid UTF-8, and so is the result.
  std::string apply(absl::string_view text) const;

private:
  std::optional<absl::string_view> replacement(absl::string_view part) const;
  uint32_t unit(size_t index) const { return index < units_.size() ? units_[index] : 0; }

  std::vector<uint32_t> units_;
  std::string replacements_;
};

} // namespace lathe::text
