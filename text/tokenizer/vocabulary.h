// The model's own tokens: string to id and back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "text/tokenizer/document.h"

namespace lathe::text {

// Ids may have holes. Movable, not copyable; thread-safe to read.
class Vocabulary {
public:
  // Takes the document's vocabulary and its strings. Refuses a token or an id that stands twice.
  static absl::StatusOr<Vocabulary> build(Document &document, absl::string_view source);

  std::optional<int32_t> find(absl::string_view token) const {
    auto found = ids_.find(token);
    return found == ids_.end() ? std::nullopt : std::optional<int32_t>(found->second);
  }
  // nullopt for a hole and past the end.
  std::optional<absl::string_view> token(int64_t id) const {
    if (id < 0 || id >= idLimit() || !tokens_[id].data())
      return std::nullopt;
    return tokens_[id];
  }

  size_t count() const { return ids_.size(); }
  int64_t idLimit() const { return int64_t(tokens_.size()); } // one past the largest id

private:
  std::unique_ptr<char[]> strings_;
  absl::flat_hash_map<absl::string_view, int32_t> ids_;
  std::vector<absl::string_view> tokens_;
};

// The ids of "<0x00>" to "<0xFF>"; -1 where the vocabulary has none.
std::vector<int32_t> byteTokens(const Vocabulary &vocabulary);

} // namespace lathe::text
