// Tokens beside the model's own: found in the text before the model sees it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "text/tokenizer/json_fields.h"
#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/prefix_index.h"
#include "text/tokenizer/regex.h"
#include "text/tokenizer/vocabulary.h"

namespace lathe::text {

struct AddedToken {
  int32_t id;
  std::string content;
  // What is looked for: the content, or with `normalized` what the normalizer makes of it. This is
  // also what the decoder gets.
  std::string searched;
  bool special;        // left out by decoding on request
  bool single_word;    // no word character may stand beside it
  bool lstrip, rstrip; // takes the white space on that side with it
  bool normalized;     // looked for in the normalised text
};

// Movable; thread-safe to read.
class AddedTokens {
public:
  // A part of a text: an added token (id), or what lies between two (no id).
  struct Part {
    Range range;
    std::optional<int32_t> id;
  };

  AddedTokens() = default;
  // `list` is the document's `added_tokens`. A token has the id of the model's token with the same
  // text, or else the next id behind the vocabulary; a file whose own `id` says otherwise is
  // refused, as are tokens that stand twice, empty ones and those over 1024 bytes.
  static absl::StatusOr<AddedTokens> read(const JsonField &list, const Vocabulary &vocabulary,
                                          const Normalizer &normalizer);

  // Cuts a text, before or after normalisation. The leftmost token wins, then the longest.
  std::vector<Part> cut(absl::string_view text, bool normalized) const;

  std::optional<int32_t> find(absl::string_view content) const;
  const AddedToken *token(int32_t id) const; // null for ids of the model alone
  // True for what decoding leaves out: any text that is a special token's content.
  bool isSpecial(absl::string_view decoded) const { return special_.contains(decoded); }

  const std::vector<AddedToken> &tokens() const { return tokens_; }

private:
  absl::Status add(const JsonField &field, const Vocabulary &vocabulary,
                   const Normalizer &normalizer);
  absl::Status index();

  std::vector<AddedToken> tokens_;
  int64_t next_id_ = 0;
  absl::flat_hash_map<std::string, size_t> by_content_; // places in tokens_
  absl::flat_hash_map<int32_t, size_t> by_id_;
  absl::flat_hash_set<std::string> special_;
  // Built over a list of tokens that no longer changes; a moved vector keeps its elements in place.
  PrefixIndex raw_, normalized_;
};

} // namespace lathe::text
