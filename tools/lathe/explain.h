// What the compiler decided, for people. The JSON is an array of objects of strings: step, pass,
// layers, op, choice, why, cost, and alternatives, an array of {choice, cost}. All may be absent.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lathe::cli {

// A block for each step, a line for each decision, and under it why, and what else there was.
// INVALID_ARGUMENT where it is no such JSON. Empty text: nothing was decided.
absl::StatusOr<std::string> explainText(absl::string_view explain_json);

} // namespace lathe::cli
