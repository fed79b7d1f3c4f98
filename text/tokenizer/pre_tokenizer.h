// The pre-tokenizer of a tokenizer.json: how a normalised text is cut before the model sees it.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "text/tokenizer/json_fields.h"
#include "text/tokenizer/pieces.h"

namespace lathe::text {

// A list of steps, each of them one of: Split, ByteLevel, Metaspace, Digits, Punctuation,
// Whitespace, WhitespaceSplit, BertPreTokenizer; Sequence is flattened. Thread-safe.
class PreTokenizer {
public:
  PreTokenizer() = default; // cuts nothing
  // Refuses other types by name.
  static absl::StatusOr<PreTokenizer> read(const JsonField &field);

  // Fails when a regex gives up.
  absl::Status apply(Pieces &pieces) const;

  using Step = std::function<absl::Status(Pieces &)>;

private:
  std::vector<Step> steps_;
};

} // namespace lathe::text
