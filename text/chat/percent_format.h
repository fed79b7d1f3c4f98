// "%s and %05.2f" % values: Python's printf formatting.
#pragma once

#include "absl/status/statusor.h"
#include "text/chat/budget.h"
#include "text/chat/value.h"

namespace lathe::text {

// `values`: a tuple, a dict for "%(name)s", or one value. Conversions: s r d i u x X o f F e E g G
// c %.
absl::StatusOr<Value> percentFormat(Budget &budget, const Value &format, const Value &values);

} // namespace lathe::text
