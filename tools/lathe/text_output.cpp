#include "tools/lathe/text_output.h"

#include "absl/strings/str_cat.h"

#include "base/status.h"

namespace lathe::cli {
namespace {

constexpr size_t kContext = 32; // ids that are enough to know how the next one is spelt

} // namespace

void TextOutput::show(absl::string_view text) {
  if (text.empty())
    return;
  absl::StrAppend(&text_, text);
  sink_(text);
}

void TextOutput::follow(absl::Span<const int32_t> ids) {
  for (int32_t id : ids.last(std::min(ids.size(), kContext)))
    stream_.push(id).IgnoreError(); // what cannot be decoded has no say in the spelling
}

absl::StatusOr<bool> TextOutput::push(int32_t id) {
  if (!tokenizer_.idToToken(id))
    return true;
  began_ = true;
  LATHE_ASSIGN_OR_RETURN(std::optional<std::string> piece, stream_.push(id));
  if (piece)
    show(stops_.push(*piece));
  return !stops_.found();
}

absl::Status TextOutput::finish() {
  if (stops_.found() || !began_)
    return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(std::string rest, stream_.flush());
  show(stops_.push(rest));
  if (!stops_.found())
    show(stops_.flush());
  return absl::OkStatus();
}

} // namespace lathe::cli
