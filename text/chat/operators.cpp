#include "text/chat/operators.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "base/status.h"
#include "text/chat/python_text.h"

namespace lathe::text {
namespace {

absl::StatusOr<bool> equalSequences(Budget &budget, const Sequence &left, const Sequence &right) {
  if (&left == &right)
    return true;
  bool is_identity = left.kind == SequenceKind::Generator || left.kind == SequenceKind::Values;
  if (is_identity || left.kind != right.kind || left.items.size() != right.items.size())
    return false;
  for (size_t i = 0; i < left.items.size(); ++i) {
    LATHE_ASSIGN_OR_RETURN(bool same, equal(budget, left.items[i], right.items[i]));
    if (!same)
      return false;
  }
  return true;
}

absl::StatusOr<bool> equalMappings(Budget &budget, const Mapping &left, const Mapping &right) {
  if (&left == &right)
    return true;
  if (left.size() != right.size())
    return false;
  for (const auto &[key, value] : left.entries()) {
    const Value *other = right.find(key);
    if (!other)
      return false;
    LATHE_ASSIGN_OR_RETURN(bool same, equal(budget, value, *other));
    if (!same)
      return false;
  }
  return true;
}

bool equalNumbers(const Value &left, const Value &right) {
  if (left.isIntegral() && right.isIntegral())
    return left.integral() == right.integral();
  return left.number() == right.number();
}

bool isSameObject(const Value &left, const Value &right) {
  if (left.as<Namespace *>() && right.as<Namespace *>())
    return *left.as<Namespace *>() == *right.as<Namespace *>();
  if (left.as<const Function *>() && right.as<const Function *>())
    return *left.as<const Function *>() == *right.as<const Function *>();
  if (left.as<MacroRef>() && right.as<MacroRef>())
    return left.as<MacroRef>()->definition == right.as<MacroRef>()->definition;
  return left.loop() && left.loop() == right.loop();
}

bool isOrderedSequence(const Sequence *sequence) {
  return sequence &&
         (sequence->kind == SequenceKind::List || sequence->kind == SequenceKind::Tuple);
}

absl::StatusOr<std::partial_ordering> orderSequences(Budget &budget, const Sequence &left,
                                                     const Sequence &right) {
  size_t common = std::min(left.items.size(), right.items.size());
  for (size_t i = 0; i < common; ++i) {
    LATHE_ASSIGN_OR_RETURN(bool same, equal(budget, left.items[i], right.items[i]));
    if (!same)
      return order(budget, left.items[i], right.items[i]);
  }
  return std::partial_ordering(left.items.size() <=> right.items.size());
}

absl::StatusOr<bool> containsText(Budget &budget, const std::string &container, const Value &item) {
  if (item.isUndefined())
    return undefinedError(item);
  if (!item.text())
    return absl::InvalidArgumentError(
        absl::StrCat("'in' looks for a str in a str, but the left side is a ", typeName(item)));
  LATHE_RETURN_IF_ERROR(budget.spend(container.size() / 64));
  return absl::StrContains(container, *item.text());
}

absl::StatusOr<bool> containsItem(Budget &budget, const Sequence &container, const Value &item) {
  bool is_generator = container.kind == SequenceKind::Generator;
  for (size_t i = is_generator ? container.next : 0; i < container.items.size(); ++i) {
    if (is_generator)
      container.next = i + 1;
    LATHE_ASSIGN_OR_RETURN(bool same, equal(budget, container.items[i], item));
    if (same)
      return true;
  }
  return false;
}

absl::StatusOr<std::shared_ptr<const Sequence>> asSequence(Budget &budget,
                                                           std::vector<Value> items) {
  LATHE_RETURN_IF_ERROR(budget.spendItems(items.size()));
  LATHE_ASSIGN_OR_RETURN(Value list, makeList(std::move(items)));
  return *list.as<std::shared_ptr<const Sequence>>();
}

absl::StatusOr<std::shared_ptr<const Sequence>>
iterateSequence(Budget &budget, const std::shared_ptr<const Sequence> &sequence) {
  LATHE_RETURN_IF_ERROR(budget.spend(1));
  if (sequence->kind != SequenceKind::Generator)
    return sequence;
  size_t from = std::exchange(sequence->next, sequence->items.size());
  return asSequence(budget, {sequence->items.begin() + from, sequence->items.end()});
}

} // namespace

absl::Status integerTooLarge() {
  return absl::InvalidArgumentError("an integer grew beyond 64 bits");
}

std::string escapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"'", "&#39;"}, {"\"", "&#34;"}});
}

absl::StatusOr<bool> equal(Budget &budget, const Value &left, const Value &right) {
  LATHE_RETURN_IF_ERROR(budget.spend(1));
  if (left.text() && right.text()) {
    LATHE_RETURN_IF_ERROR(budget.spend(std::min(left.text()->size(), right.text()->size()) / 64));
    return *left.text() == *right.text();
  }
  if (left.isNumber() && right.isNumber())
    return equalNumbers(left, right);
  if (left.sequence() && right.sequence())
    return equalSequences(budget, *left.sequence(), *right.sequence());
  if (left.mapping() && right.mapping())
    return equalMappings(budget, *left.mapping(), *right.mapping());
  if (left.isUndefined() || left.isNone())
    return left.data().index() == right.data().index();
  return isSameObject(left, right);
}

absl::StatusOr<std::partial_ordering> order(Budget &budget, const Value &left, const Value &right) {
  LATHE_RETURN_IF_ERROR(budget.spend(1));
  for (const Value *side : {&left, &right})
    if (side->isUndefined())
      return undefinedError(*side);
  if (left.text() && right.text()) {
    LATHE_RETURN_IF_ERROR(budget.spend(std::min(left.text()->size(), right.text()->size()) / 64));
    return std::partial_ordering(*left.text() <=> *right.text());
  }
  if (left.isIntegral() && right.isIntegral())
    return std::partial_ordering(left.integral() <=> right.integral());
  if (left.isNumber() && right.isNumber())
    return left.number() <=> right.number();
  bool are_sequences = isOrderedSequence(left.sequence()) && isOrderedSequence(right.sequence());
  if (are_sequences && left.sequence()->kind == right.sequence()->kind)
    return orderSequences(budget, *left.sequence(), *right.sequence());
  return absl::InvalidArgumentError(
      absl::StrCat("a ", typeName(left), " and a ", typeName(right), " have no order"));
}

absl::StatusOr<bool> contains(Budget &budget, const Value &container, const Value &item) {
  if (container.text())
    return containsText(budget, *container.text(), item);
  if (const Mapping *mapping = container.mapping()) {
    if (!isHashable(item) && !item.isUndefined())
      return absl::InvalidArgumentError(
          absl::StrCat("a ", typeName(item), " cannot be a key of a dict"));
    return mapping->find(item) != nullptr;
  }
  if (container.sequence())
    return containsItem(budget, *container.sequence(), item);
  if (container.isUndefined())
    return false;
  return absl::InvalidArgumentError(absl::StrCat(
      "'in' needs something to look into, but the right side is a ", typeName(container)));
}

absl::StatusOr<bool> compare(Budget &budget, ast::CompareOp op, const Value &left,
                             const Value &right) {
  using Op = ast::CompareOp;
  if (op == Op::In || op == Op::NotIn) {
    LATHE_ASSIGN_OR_RETURN(bool found, contains(budget, right, left));
    return found == (op == Op::In);
  }
  if (op == Op::Equal || op == Op::NotEqual) {
    LATHE_ASSIGN_OR_RETURN(bool same, equal(budget, left, right));
    return same == (op == Op::Equal);
  }
  LATHE_ASSIGN_OR_RETURN(std::partial_ordering ordering, order(budget, left, right));
  switch (op) {
  case Op::Less: return ordering < 0;
  case Op::LessEqual: return ordering <= 0;
  case Op::Greater: return ordering > 0;
  default: return ordering >= 0;
  }
}

absl::StatusOr<std::shared_ptr<const Sequence>> iterate(Budget &budget, const Value &value) {
  std::vector<Value> items;
  if (const auto *sequence = value.as<std::shared_ptr<const Sequence>>())
    return iterateSequence(budget, *sequence);
  if (const Mapping *mapping = value.mapping()) {
    for (const auto &entry : mapping->entries())
      items.push_back(entry.first);
  } else if (value.text()) {
    LATHE_RETURN_IF_ERROR(budget.spendItems(codePointCount(*value.text())));
    for (absl::string_view character : splitCodePoints(*value.text()))
      items.push_back(Value(character));
  } else if (!value.isUndefined()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", typeName(value), "' object is not iterable"));
  }
  return asSequence(budget, std::move(items));
}

} // namespace lathe::text
