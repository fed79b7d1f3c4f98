#include "text/tokenizer/stream.h"

#include "absl/strings/match.h"
#include "base/status.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {

absl::StatusOr<std::optional<std::string>> DecodeStream::push(int32_t id) {
  if (prefix_.empty() && !ids_.empty()) {
    LATHE_ASSIGN_OR_RETURN(std::string prefix, decode());
    if (!endsInReplacement(prefix)) {
      prefix_ = std::move(prefix);
      prefix_ids_ = ids_.size();
    }
  }
  ids_.push_back(id);
  absl::StatusOr<std::string> decoded = decode();
  if (!decoded.ok()) {
    ids_.pop_back();
    return decoded.status();
  }
  if (decoded->size() <= prefix_.size() || endsInReplacement(*decoded))
    return std::nullopt;
  if (!absl::StartsWith(*decoded, prefix_))
    return absl::FailedPreconditionError(absl::StrCat("with the id ", id, " the text '", prefix_,
                                                      "' becomes '", *decoded,
                                                      "'; it cannot be streamed"));
  std::string added = decoded->substr(prefix_.size());
  size_t rest = ids_.size() - prefix_ids_;
  ids_.erase(ids_.begin(), ids_.begin() + prefix_ids_);
  LATHE_ASSIGN_OR_RETURN(prefix_, decode());
  prefix_ids_ = rest;
  return added;
}

absl::StatusOr<std::string> DecodeStream::flush() {
  LATHE_ASSIGN_OR_RETURN(std::string decoded, decode());
  std::string rest = absl::StartsWith(decoded, prefix_) ? decoded.substr(prefix_.size()) : "";
  ids_.clear();
  prefix_.clear();
  prefix_ids_ = 0;
  return rest;
}

} // namespace lathe::text
