// Filters that apply another filter or a test to each item: map, select, reject and their like.
#include "text/chat/filters.h"

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "text/chat/access.h"
#include "text/chat/operators.h"
#include "text/chat/tests.h"

namespace lathe::text {
namespace {

using Result = absl::StatusOr<Value>;
using Items = std::shared_ptr<const Sequence>;

// The arguments behind the first `count`.
Arguments without(const Arguments &arguments, size_t count) {
  Arguments rest;
  rest.named = arguments.named;
  if (arguments.positional.size() > count)
    rest.positional.assign(arguments.positional.begin() + count, arguments.positional.end());
  return rest;
}

absl::StatusOr<absl::string_view> nameAt(Call &call, size_t place, absl::string_view what) {
  const auto &positional = call.arguments.positional;
  if (place >= positional.size() || !positional[place].text())
    return call.fault(absl::StrCat("needs ", what));
  return absl::string_view(*positional[place].text());
}

Result mapAttribute(Call &call, const Value &item, const Value &path, const Value *fallback) {
  LATHE_ASSIGN_OR_RETURN(Value value, getPath(call.budget, item, path));
  return value.isUndefined() && fallback ? *fallback : value;
}

// map(attribute='a', default=x)
Result mapAttributes(Call &call, const Items &items) {
  const Value *path = nullptr, *fallback = nullptr;
  for (const auto &[name, value] : call.arguments.named) {
    if (name != "attribute" && name != "default")
      return call.fault(absl::StrCat("takes no argument named '", name, "'"));
    (name == "attribute" ? path : fallback) = &value;
  }
  if (!path)
    return call.fault("needs a filter's name or 'attribute'");
  std::vector<Value> out;
  for (const Value &item : items->items) {
    LATHE_ASSIGN_OR_RETURN(Value value, mapAttribute(call, item, *path, fallback));
    out.push_back(std::move(value));
  }
  return makeSequence(SequenceKind::Generator, std::move(out));
}

Result map(Call &call) {
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(items->items.size()));
  if (call.arguments.positional.empty())
    return mapAttributes(call, items);
  LATHE_ASSIGN_OR_RETURN(absl::string_view name, nameAt(call, 0, "a filter's name"));
  LATHE_ASSIGN_OR_RETURN(const Function *filter, findFilter(name));
  std::vector<Value> out;
  for (const Value &item : items->items) {
    LATHE_RETURN_IF_ERROR(call.budget.spend(1 + call.arguments.positional.size()));
    LATHE_ASSIGN_OR_RETURN(Value value,
                           invoke(*filter, call.budget, item, without(call.arguments, 1)));
    out.push_back(std::move(value));
  }
  return makeSequence(SequenceKind::Generator, std::move(out));
}

// Truth of the value, or of the test whose name stands at `place`.
absl::StatusOr<bool> passes(Call &call, const Value &value, size_t place) {
  if (place >= call.arguments.positional.size())
    return isTrue(value);
  LATHE_ASSIGN_OR_RETURN(absl::string_view name, nameAt(call, place, "a test's name"));
  LATHE_ASSIGN_OR_RETURN(const Function *test, findTest(name));
  LATHE_RETURN_IF_ERROR(call.budget.spend(1 + call.arguments.positional.size()));
  LATHE_ASSIGN_OR_RETURN(Value result,
                         invoke(*test, call.budget, value, without(call.arguments, place + 1)));
  return isTrue(result);
}

Result selection(Call &call, bool wanted, bool by_attribute) {
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(items->items.size()));
  if (by_attribute && call.arguments.positional.empty())
    return call.fault("needs an attribute's name");
  std::vector<Value> out;
  for (const Value &item : items->items) {
    Value value = item;
    if (by_attribute) {
      LATHE_ASSIGN_OR_RETURN(value, getPath(call.budget, item, call.arguments.positional[0]));
    }
    LATHE_ASSIGN_OR_RETURN(bool passed, passes(call, value, by_attribute ? 1 : 0));
    if (passed == wanted)
      out.push_back(item);
  }
  return makeSequence(SequenceKind::Generator, std::move(out));
}

Result select(Call &call) { return selection(call, true, false); }
Result reject(Call &call) { return selection(call, false, false); }
Result selectAttribute(Call &call) { return selection(call, true, true); }
Result rejectAttribute(Call &call) { return selection(call, false, true); }

constexpr Function kFilters[] = {
    {"map", map, {}, kVariadic},
    {"select", select, {}, kVariadic},
    {"reject", reject, {}, kVariadic},
    {"selectattr", selectAttribute, {}, kVariadic},
    {"rejectattr", rejectAttribute, {}, kVariadic},
};

} // namespace

absl::Span<const Function> selectionFilters() { return kFilters; }

} // namespace lathe::text
