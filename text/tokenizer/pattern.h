// What Split and Replace look for: a text, or a regular expression.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "text/tokenizer/json_fields.h"
#include "text/tokenizer/regex.h"

namespace lathe::text {

class Pattern {
public:
  // `field` is {"String": ..} or {"Regex": ..}.
  static absl::StatusOr<Pattern> read(const JsonField &field);

  // All matches, from left to right; those of a text do not overlap.
  absl::StatusOr<std::vector<Range>> findAll(absl::string_view text) const;

private:
  std::string literal_;
  std::optional<Regex> regex_;
};

// Each of the matches, which do not overlap, replaced by `content`. Fails when the result is longer
// than `limit` bytes.
absl::StatusOr<std::string> replaceMatches(absl::string_view text,
                                           const std::vector<Range> &matches,
                                           absl::string_view content, size_t limit);

} // namespace lathe::text
