// The tables behind methods.h, one a kind of value.
#pragma once

#include "absl/types/span.h"
#include "text/chat/function.h"

namespace lathe::text {

absl::Span<const Function> textMethods();

} // namespace lathe::text
