// A unigram language model: the cut of a piece with the highest sum of scores.
// Kudo 2018, "Subword Regularization" (https://arxiv.org/abs/1804.10959), section 3.2.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "text/tokenizer/document.h"
#include "text/tokenizer/model.h"
#include "text/tokenizer/prefix_index.h"
#include "text/tokenizer/vocabulary.h"

namespace lathe::text {

class Unigram : public Model {
public:
  // `field` is the document's `model`. Borrows the vocabulary.
  static absl::StatusOr<std::unique_ptr<Unigram>>
  build(const JsonField &field, const Document &document, const Vocabulary &vocabulary);

  // Viterbi, O(piece * longest token). Neighbouring unknown characters are one unknown token, or
  // their bytes with byte_fallback. Fails on an unknown character when the model has no unk_id.
  absl::Status encode(absl::string_view piece, std::vector<int32_t> &ids) const override;

private:
  explicit Unigram(const Vocabulary &vocabulary) : vocabulary_(vocabulary) {}
  absl::Status addToken(absl::string_view text, std::vector<int32_t> &ids) const;

  const Vocabulary &vocabulary_;
  PrefixIndex tokens_;
  std::vector<double> scores_; // by id
  double unknown_score_ = 0;
  std::optional<int32_t> unknown_;
  std::vector<int32_t> bytes_; // ids of "<0x00>".."<0xFF>"; empty without byte_fallback
};

} // namespace lathe::text
