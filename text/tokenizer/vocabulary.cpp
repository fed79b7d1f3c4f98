#include "text/tokenizer/vocabulary.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"

namespace lathe::text {

absl::StatusOr<Vocabulary> Vocabulary::build(Document &document, absl::string_view source) {
  Vocabulary vocabulary;
  vocabulary.strings_ = std::move(document.strings);
  int64_t largest = -1;
  for (const VocabularyEntry &entry : document.vocabulary)
    largest = std::max(largest, entry.id);
  vocabulary.tokens_.resize(largest + 1);
  vocabulary.ids_.reserve(document.vocabulary.size());
  for (const VocabularyEntry &entry : document.vocabulary) {
    absl::string_view &token = vocabulary.tokens_[entry.id];
    if (token.data())
      return absl::InvalidArgumentError(absl::StrCat(source, ": model.vocab: the id ", entry.id,
                                                     " belongs to two tokens, '", token, "' and '",
                                                     entry.token, "'"));
    token = entry.token;
    if (!vocabulary.ids_.emplace(entry.token, entry.id).second)
      return absl::InvalidArgumentError(absl::StrCat(
          source, ": model.vocab: the token '", entry.token, "' stands twice, with the ids ",
          vocabulary.ids_[entry.token], " and ", entry.id));
  }
  return vocabulary;
}

std::vector<int32_t> byteTokens(const Vocabulary &vocabulary) {
  std::vector<int32_t> out(256);
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    out[byte] = vocabulary.find(name).value_or(-1);
  }
  return out;
}

} // namespace lathe::text
