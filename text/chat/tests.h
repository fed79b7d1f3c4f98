// The tests behind `is`.
#pragma once

#include "absl/status/statusor.h"
#include "text/chat/function.h"

namespace lathe::text {

// An error that names the nearest test where there is none. A test gives true or false.
absl::StatusOr<const Function *> findTest(absl::string_view name);

} // namespace lathe::text
