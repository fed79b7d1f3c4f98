// Byte-pair encoding: neighbours are merged, the earliest rule of the list first.
// Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units".
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "text/tokenizer/document.h"
#include "text/tokenizer/model.h"
#include "text/tokenizer/vocabulary.h"

namespace lathe::text {

class Bpe : public Model {
public:
  // `field` is the document's `model`. Borrows the vocabulary. Refuses merges that name absent
  // tokens, dropout, continuing_subword_prefix and end_of_word_suffix.
  static absl::StatusOr<std::unique_ptr<Bpe>>
  build(const JsonField &field, const Document &document, const Vocabulary &vocabulary);

  // O(n log n) in the length of the piece. What is in no token becomes bytes (byte_fallback), the
  // unknown token, or nothing where there is none.
  absl::Status encode(absl::string_view piece, std::vector<int32_t> &ids) const override;

private:
  struct Merge {
    uint32_t rank;
    int32_t id;
  };
  struct Symbol {
    int32_t id, previous, next; // places in the list; -1 at its ends
    bool merged_away;
  };
  struct Symbols;

  explicit Bpe(const Vocabulary &vocabulary) : vocabulary_(vocabulary) {}
  absl::Status readOptions(const JsonField &field);
  absl::Status readMerges(const JsonField &field, const std::vector<MergeEntry> &merges);
  std::optional<int32_t> joined(absl::string_view left, absl::string_view right,
                                int64_t last) const;
  const Merge *mergeOf(int32_t left, int32_t right) const;
  void firstSymbols(absl::string_view piece, Symbols &symbols) const;
  bool addBytes(absl::string_view character, Symbols &symbols) const;
  void mergeAll(Symbols &symbols) const;

  const Vocabulary &vocabulary_;
  absl::flat_hash_map<uint64_t, Merge> merges_; // by left id << 32 | right id
  std::optional<int32_t> unknown_;
  std::vector<int32_t> bytes_; // ids of "<0x00>".."<0xFF>"; empty without byte_fallback
  bool fuse_unknown_ = false, ignore_merges_ = false;
};

} // namespace lathe::text
