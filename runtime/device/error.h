// The two places where errors cross the border of runtime/abi/device.h, and its texts.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/abi/device.h"

namespace lathe::runtime {

// NULL is ok. Releases the error.
absl::Status takeError(lathe_error *error);

// NULL for ok. The caller owns what comes back.
lathe_error *giveError(const absl::Status &status);

inline lathe_string toAbi(absl::string_view text) { return {text.data(), text.size()}; }

inline std::string fromAbi(const lathe_string &text) {
  return text.data ? std::string(text.data, text.size) : std::string();
}

} // namespace lathe::runtime
