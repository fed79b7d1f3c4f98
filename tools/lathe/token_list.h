// Token ids as people write them: "1,5,9".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace lathe::cli {

// A usage error where it is not a list of whole numbers with at least one of them.
absl::StatusOr<std::vector<int64_t>> parseTokenList(absl::string_view text);

// INVALID_ARGUMENT names the first id that is not in a vocabulary of that size, and its index.
absl::StatusOr<std::vector<int32_t>> checkedTokens(absl::Span<const int64_t> ids,
                                                   int64_t vocab_size);

} // namespace lathe::cli
