// The two places where errors cross the border of runtime/abi/plugin.h, and its texts.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/abi/plugin.h"

namespace lathe::runtime {

// NULL is ok. Releases the error.
absl::Status takeError(lathe_error *error);

// NULL for ok. The caller owns what comes back.
lathe_error *giveError(const absl::Status &status);

inline lathe_string toAbi(absl::string_view text) { return {text.data(), text.size()}; }

// Cut after 64 KiB: a longer text is a wrong size. What is no UTF-8, or would move a terminal's
// cursor, becomes '?'.
std::string fromAbi(const lathe_string &text);

} // namespace lathe::runtime
