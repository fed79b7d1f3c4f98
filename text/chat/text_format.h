// str.format: "{} {0} {name}".
#pragma once

#include "absl/status/statusor.h"
#include "text/chat/function.h"

namespace lathe::text {

// Fields are a number, a name or nothing. What may follow one in Python (attributes, "!r", a format
// after a colon) is refused by name.
absl::StatusOr<Value> formatFields(Call &call);

} // namespace lathe::text
