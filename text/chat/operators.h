// Python's operators over values.
#pragma once

#include <compare>
#include <memory>

#include "absl/status/statusor.h"
#include "text/chat/ast.h"
#include "text/chat/budget.h"
#include "text/chat/value.h"

namespace lathe::text {

absl::StatusOr<Value> applyBinary(Budget &budget, ast::BinaryOp op, const Value &left,
                                  const Value &right);
absl::StatusOr<Value> negate(const Value &value);
absl::StatusOr<bool> compare(Budget &budget, ast::CompareOp op, const Value &left,
                             const Value &right);
absl::StatusOr<bool> equal(Budget &budget, const Value &left, const Value &right);
// Fails where Python has no order: between types, between dicts.
absl::StatusOr<std::partial_ordering> order(Budget &budget, const Value &left, const Value &right);
absl::StatusOr<bool> contains(Budget &budget, const Value &container, const Value &item);

// What a for walks over: items, characters, keys; nothing for undefined. Empties a generator.
absl::StatusOr<std::shared_ptr<const Sequence>> iterate(Budget &budget, const Value &value);

// An integer result that left 64 bits.
absl::Status integerTooLarge();
// "&<>'\"" as HTML has them.
std::string escapeHtml(absl::string_view text);

} // namespace lathe::text
