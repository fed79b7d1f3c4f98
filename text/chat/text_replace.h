// Text made longer: str.replace and str.center, paid for before they are made.
#pragma once

#include "absl/status/statusor.h"
#include "text/chat/budget.h"
#include "text/chat/value.h"

namespace lathe::text {

// The first `count` places (all, if negative). An empty `from` stands between all characters.
absl::StatusOr<std::string> replaceText(Budget &budget, absl::string_view text,
                                        absl::string_view from, absl::string_view to,
                                        int64_t count);

absl::StatusOr<std::string> padText(Budget &budget, absl::string_view text, int64_t left,
                                    int64_t right, absl::string_view fill = " ");
absl::StatusOr<Value> centerText(Budget &budget, absl::string_view text, int64_t width);

} // namespace lathe::text
