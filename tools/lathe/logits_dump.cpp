#include "tools/lathe/logits_dump.h"

#include <vector>

#include "base/status.h"
#include "frontend/safetensors_writer.h"

namespace lathe::cli {
namespace {

constexpr size_t kPiece = 16 << 20; // bytes copied at once

} // namespace

absl::StatusOr<LogitsDump> LogitsDump::create(const std::string &path, int64_t vocab_size) {
  LATHE_ASSIGN_OR_RETURN(FileWriter spool, FileWriter::create(absl::StrCat(path, ".rows")));
  return LogitsDump(std::move(spool), path, vocab_size);
}

absl::Status LogitsDump::addRow(absl::Span<const float> logits) {
  ++rows_;
  return spool_.write(logits.data(), logits.size() * sizeof(float));
}

absl::Status LogitsDump::finish(absl::Span<const int32_t> ids) {
  if (static_cast<int64_t>(ids.size()) != rows_)
    return absl::InternalError(
        absl::StrCat(path_, ": ", rows_, " rows of logits for ", ids.size(), " tokens"));
  LATHE_ASSIGN_OR_RETURN(frontend::SafetensorsWriter writer,
                         frontend::SafetensorsWriter::create(
                             path_, {{"input_ids", frontend::DType::i64, {rows_}},
                                     {"logits", frontend::DType::f32, {rows_, vocab_size_}}}));
  std::vector<int64_t> wide(ids.begin(), ids.end());
  LATHE_RETURN_IF_ERROR(writer.append(
      {reinterpret_cast<const uint8_t *>(wide.data()), wide.size() * sizeof(int64_t)}));
  LATHE_ASSIGN_OR_RETURN(MappedFile rows, spool_.written());
  for (size_t at = 0; at < rows.bytes().size(); at += kPiece) {
    LATHE_RETURN_IF_ERROR(writer.append(rows.bytes().subspan(at, kPiece)));
    rows.release(0, at);
  }
  return writer.commit();
}

} // namespace lathe::cli
