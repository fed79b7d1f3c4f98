// Values as Python prints them: str() and repr().
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "text/chat/budget.h"
#include "text/chat/value.h"

namespace lathe::text {

// What {{ value }} prints: text as it is, undefined as nothing, all else as repr().
absl::StatusOr<std::string> toText(Budget &budget, const Value &value);
absl::StatusOr<std::string> repr(Budget &budget, const Value &value);

// The shortest digits that read back as the same number, as Python writes them: "1.0", "1e-05".
std::string reprFloat(double value);
// In quotes, with escapes.
std::string reprText(absl::string_view text);

} // namespace lathe::text
