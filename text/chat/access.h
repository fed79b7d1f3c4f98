// a.b, a[b] and a[b:c:d], as Jinja2 looks them up: what is missing is undefined, not an error.
#pragma once

#include "absl/status/statusor.h"
#include "text/chat/budget.h"
#include "text/chat/value.h"

namespace lathe::text {

// a.b: a method first (so that `tool.items` is the method), then a key.
absl::StatusOr<Value> getAttribute(const Value &object, absl::string_view name);
// a[b]: a key or an index first, then a method.
absl::StatusOr<Value> getItem(Budget &budget, const Value &object, const Value &index);
// Bounds that are none are left out.
absl::StatusOr<Value> getSlice(Budget &budget, const Value &object, const Value &begin,
                               const Value &end, const Value &step);

// The value at "a.b.0", for filters with `attribute`. An integer `path` is an index.
absl::StatusOr<Value> getPath(Budget &budget, const Value &object, const Value &path);

} // namespace lathe::text
