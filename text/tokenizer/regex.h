// A compiled regular expression over UTF-8 text that always comes to an end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct pcre2_real_code_8;

namespace lathe::text {

// A part of a text, in bytes.
struct Range {
  size_t begin, end;
};

// PCRE2 under UTF and UCP. Movable; thread-safe to use.
class Regex {
public:
  // `pattern` in Oniguruma's Ruby syntax. Fails with the place of the mistake.
  static absl::StatusOr<Regex> compile(absl::string_view pattern);

  // All matches from left to right, as Oniguruma's iterator gives them: an empty match is taken
  // unless it stands right behind the last one. `text` must be valid UTF-8.
  // RESOURCE_EXHAUSTED when the pattern backtracks without end (a step limit for each place, a time
  // limit that grows with the text).
  absl::StatusOr<std::vector<Range>> findAll(absl::string_view text) const;

private:
  Regex() = default;
  std::string pattern_; // as given, for errors
  std::shared_ptr<pcre2_real_code_8> code_;
};

} // namespace lathe::text
