// The backslash escapes inside a template's string literal: Python's.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lathe::text {

// `body`: what stands between the quotes. Refuses \N{...}, and code points that UTF-8 cannot hold.
absl::StatusOr<std::string> unescapeString(absl::string_view body);

} // namespace lathe::text
