// The methods of strings, dicts, lists and `loop` that a template may call.
#pragma once

#include "absl/status/statusor.h"
#include "text/chat/function.h"

namespace lathe::text {

// True also for methods that Python has and this does not offer: calling one is what fails.
bool hasMethod(const Value &object, absl::string_view name);
absl::StatusOr<Value> callMethod(Budget &budget, const Method &method, Arguments arguments);

} // namespace lathe::text
