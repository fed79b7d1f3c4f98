// Decoding while the ids come in: pieces of text that never end within a character.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "text/tokenizer/tokenizer.h"

namespace lathe::text {

// Hugging Face's DecodeStream. What it keeps does not grow with the text, only with the ids that
// have not made a character yet. Not thread-safe; the tokenizer must outlive it.
class DecodeStream {
public:
  DecodeStream(const Tokenizer &tokenizer, bool skip_special)
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  // The text that the id adds, or nullopt while it ends in U+FFFD, the mark of half a character.
  // Fails on an unknown id, and with FAILED_PRECONDITION when the text so far changes with the id.
  absl::StatusOr<std::optional<std::string>> push(int32_t id);

  // What push() has held back; empty when there is nothing. Call it once, behind the last id.
  absl::StatusOr<std::string> flush();

private:
  absl::StatusOr<std::string> decode() const { return tokenizer_.decode(ids_, skip_special_); }

  const Tokenizer &tokenizer_;
  bool skip_special_;
  // The ids of `prefix_`, which is said already but decides how the rest is spelt, then the rest.
  std::vector<int32_t> ids_;
  std::string prefix_;
  size_t prefix_ids_ = 0;
};

} // namespace lathe::text
