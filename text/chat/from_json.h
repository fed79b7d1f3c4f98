// JSON to the values of a template.
#pragma once

#include "absl/status/statusor.h"
#include <nlohmann/json.hpp>

#include "text/chat/value.h"

namespace lathe::text {

// Refuses text that is not UTF-8, integers beyond 64 bits, and too deep a nesting.
absl::StatusOr<Value> valueFromJson(const nlohmann::ordered_json &json);

} // namespace lathe::text
