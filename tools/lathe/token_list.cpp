#include "tools/lathe/token_list.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "tools/lathe/verb.h"

namespace lathe::cli {

absl::StatusOr<std::vector<int64_t>> parseTokenList(absl::string_view text) {
  std::vector<int64_t> ids;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    int64_t id = 0;
    if (!absl::SimpleAtoi(part, &id))
      return usageError(absl::StrCat("--tokens: '", part, "' at index ", ids.size(),
                                     " is not a token id; write them as 1,5,9"));
    ids.push_back(id);
  }
  return ids;
}

absl::StatusOr<std::vector<int32_t>> checkedTokens(absl::Span<const int64_t> ids,
                                                   int64_t vocab_size) {
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocab_size)
      return absl::InvalidArgumentError(absl::StrCat("--tokens: id ", ids[i], " at index ", i,
                                                     " is not in the vocabulary of ", vocab_size,
                                                     " tokens; ids go from 0 to ", vocab_size - 1));
    tokens.push_back(static_cast<int32_t>(ids[i]));
  }
  return tokens;
}

} // namespace lathe::cli
