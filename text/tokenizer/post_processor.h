// The post-processor of a tokenizer.json: the ids that stand before and behind a text.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "text/tokenizer/json_fields.h"

namespace lathe::text {

// TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel (which moves only offsets, and
// there are none here), or a Sequence in which at most one adds ids.
struct PostProcessor {
  std::vector<int32_t> before, behind;

  // `knows` says which ids are in the vocabulary; others are refused, as are other types.
  static absl::StatusOr<PostProcessor> read(const JsonField &field,
                                            const std::function<bool(int64_t)> &knows);
};

} // namespace lathe::text
