#include "text/tokenizer/pattern.h"

#include "base/status.h"

namespace lathe::text {

absl::StatusOr<Pattern> Pattern::read(const JsonField &field) {
  Pattern pattern;
  bool is_regex = field.has("Regex");
  if (!is_regex && !field.has("String"))
    return field.wrong("should be an object with the key 'String' or 'Regex'");
  LATHE_ASSIGN_OR_RETURN(std::string text, field.string(is_regex ? "Regex" : "String"));
  // An empty text matches everywhere, as the empty regex does.
  if (!is_regex && !text.empty()) {
    pattern.literal_ = text;
    return pattern;
  }
  absl::StatusOr<Regex> regex = Regex::compile(text);
  if (!regex.ok())
    return field.wrong(regex.status().message());
  pattern.regex_ = *std::move(regex);
  return pattern;
}

absl::StatusOr<std::vector<Range>> Pattern::findAll(absl::string_view text) const {
  if (regex_)
    return regex_->findAll(text);
  std::vector<Range> matches;
  for (size_t at = text.find(literal_); at != text.npos;
       at = text.find(literal_, at + literal_.size()))
    matches.push_back({at, at + literal_.size()});
  return matches;
}

absl::StatusOr<std::string> replaceMatches(absl::string_view text,
                                           const std::vector<Range> &matches,
                                           absl::string_view content, size_t limit) {
  std::string out;
  size_t copied = 0;
  auto copyUpTo = [&](size_t end) { out.append(text.data() + copied, end - copied); };
  for (Range match : matches) {
    copyUpTo(match.begin);
    absl::StrAppend(&out, content);
    copied = match.end;
    if (out.size() > limit)
      return absl::ResourceExhaustedError(
          absl::StrCat("a Replace makes ", text.size(), " bytes into more than ", limit));
  }
  copyUpTo(text.size());
  return out;
}

} // namespace lathe::text
