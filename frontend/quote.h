// Text of strangers inside error messages.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace lathe::frontend {

// 'text' with control bytes escaped, cut after 120 bytes, so that a hostile name can neither forge
// a line of output nor flood it.
std::string quotedName(absl::string_view text);

} // namespace lathe::frontend
