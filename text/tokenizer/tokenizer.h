// Texts to token ids and back, as Hugging Face tokenizers 0.23 does from a tokenizer.json.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace lathe::text {

// BPE and Unigram models; WordPiece and WordLevel are refused by name. Truncation and padding in
// the file are ignored. Movable; const methods are thread-safe. See README.md for what is
// supported.
class Tokenizer {
public:
  // Keeps none of the texts. `source_name` names the file in errors; `tokenizer_config_text` is
  // tokenizer_config.json, read for bos_token and eos_token only, or empty. Every field is checked:
  // an error names file, path and what should stand there.
  static absl::StatusOr<Tokenizer> load(absl::string_view tokenizer_json_text,
                                        absl::string_view source_name,
                                        absl::string_view tokenizer_config_text = {});

  Tokenizer(Tokenizer &&) noexcept;
  Tokenizer &operator=(Tokenizer &&) noexcept;
  ~Tokenizer();

  // `add_special`: with the ids that the post-processor puts before and behind (BOS and the like).
  // Special tokens that are spelt in the text become their ids in either case. What is not UTF-8 in
  // `text` counts as U+FFFD, one for each maximal invalid part, which is what a Python program sees
  // that reads the text with errors="replace". RESOURCE_EXHAUSTED when a regex of the file gives up
  // or the normalizer grows the text without bound.
  absl::StatusOr<std::vector<int32_t>> encode(absl::string_view text, bool add_special) const;

  // Valid UTF-8; bytes that make no character are U+FFFD. `skip_special` leaves out the tokens that
  // the file calls special. An id that is not in the vocabulary is an error.
  absl::StatusOr<std::string> decode(absl::Span<const int32_t> ids, bool skip_special) const;

  std::optional<int32_t> tokenToId(absl::string_view token) const;
  std::optional<std::string> idToToken(int32_t id) const;

  // One past the largest id, added tokens included. The model's output may be wider.
  int32_t vocabSize() const;

  // From tokenizer_config.json; nullopt where it is null or not there.
  std::optional<int32_t> bosId() const;
  std::optional<int32_t> eosId() const;

private:
  struct Parts;
  explicit Tokenizer(std::unique_ptr<const Parts> parts);
  std::unique_ptr<const Parts> parts_; // its members point at one another, so it stays in place
};

} // namespace lathe::text
