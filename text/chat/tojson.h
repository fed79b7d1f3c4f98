// The filter `tojson` as Hugging Face sets it up: Python's json.dumps, with nothing escaped for
// HTML, text beyond ASCII as it is, and keys in their own order.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "text/chat/budget.h"
#include "text/chat/value.h"

namespace lathe::text {

struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  bool is_indented = false;
  std::string indent; // one level of it
  std::string item_separator = ", ", key_separator = ": ";
};

// Refuses what json.dumps refuses: undefined values, generators, macros, keys that are no scalars.
absl::StatusOr<std::string> toJson(Budget &budget, const Value &value, const JsonStyle &style);

} // namespace lathe::text
