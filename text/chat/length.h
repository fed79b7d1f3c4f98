// Python's len().
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "text/chat/python_text.h"
#include "text/chat/value.h"

namespace lathe::text {

// Code points, items or keys; 0 for undefined; a generator has none.
inline absl::StatusOr<int64_t> lengthOf(const Value &value) {
  if (value.text())
    return codePointCount(*value.text());
  if (value.mapping())
    return value.mapping()->size();
  if (value.sequence() && value.sequence()->kind != SequenceKind::Generator)
    return value.sequence()->items.size();
  if (value.loop())
    return value.loop()->items->items.size();
  if (value.isUndefined())
    return 0;
  return absl::InvalidArgumentError(
      absl::StrCat("object of type '", typeName(value), "' has no len()"));
}

} // namespace lathe::text
