#include "models/keys.h"

#include "base/status.h"
#include "frontend/quote.h"

namespace lathe::models {

bool Keys::isAbsent(absl::string_view key, const std::string &otherwise) {
  if (config_.has(key))
    return false;
  config_.accept(key);
  assumed_.push_back(absl::StrCat(key, " = ", otherwise));
  return true;
}

absl::StatusOr<int64_t> Keys::extent(absl::string_view key) const {
  return config_.integer(key, 1, kMaxExtent);
}

absl::StatusOr<int64_t> Keys::extentOr(absl::string_view key, int64_t otherwise) {
  return integerOr(key, otherwise, 1, kMaxExtent);
}

absl::StatusOr<int64_t> Keys::integerOr(absl::string_view key, int64_t otherwise, int64_t min,
                                        int64_t max) {
  if (isAbsent(key, absl::StrCat(otherwise)))
    return otherwise;
  return config_.integer(key, min, max);
}

absl::StatusOr<double> Keys::factor(absl::string_view key) const {
  return config_.number(key, 1e-12, 1e6);
}

absl::StatusOr<double> Keys::factorOr(absl::string_view key, double otherwise) {
  if (isAbsent(key, absl::StrCat(otherwise)))
    return otherwise;
  return factor(key);
}

absl::StatusOr<bool> Keys::flagOr(absl::string_view key, bool otherwise) {
  if (isAbsent(key, otherwise ? "true" : "false"))
    return otherwise;
  return config_.boolean(key);
}

absl::Status Keys::mustBe(absl::string_view key, absl::string_view wanted) {
  if (isAbsent(key, std::string(wanted)))
    return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(const std::string text, config_.string(key));
  if (text != wanted)
    return config_.keyError(key, absl::StrCat("is ", frontend::quotedName(text),
                                              ", which this family does not have; it should be '",
                                              wanted, "'"));
  return absl::OkStatus();
}

} // namespace lathe::models
