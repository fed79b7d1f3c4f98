// `--dump-logits`: what the model said at every position, as safetensors.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "base/file.h"

namespace lathe::cli {

// Rows go to a file beside the wanted one first, because their number, which stands in the wanted
// file's header, is known only at the end. That file goes away with the object.
class LogitsDump {
public:
  static absl::StatusOr<LogitsDump> create(const std::string &path, int64_t vocab_size);

  absl::Status addRow(absl::Span<const float> logits); // [vocab_size]
  int64_t rows() const { return rows_; }

  // Writes `input_ids` i64 [T] and `logits` f32 [T, V]. `ids` are the tokens that were fed, one for
  // each row. Nothing stands under the path before.
  absl::Status finish(absl::Span<const int32_t> ids);

private:
  LogitsDump(FileWriter spool, std::string path, int64_t vocab_size)
      : spool_(std::move(spool)), path_(std::move(path)), vocab_size_(vocab_size) {}

  FileWriter spool_;
  std::string path_;
  int64_t vocab_size_, rows_ = 0;
};

} // namespace lathe::cli
