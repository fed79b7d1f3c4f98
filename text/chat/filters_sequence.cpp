// Filters over lists and dicts.
#include "text/chat/filters.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/status.h"
#include "text/chat/access.h"
#include "text/chat/length.h"
#include "text/chat/operators.h"
#include "text/chat/python_text.h"
#include "text/chat/repr.h"

namespace lathe::text {
namespace {

using Result = absl::StatusOr<Value>;
using Items = std::shared_ptr<const Sequence>;

Result generator(std::vector<Value> items) {
  return makeSequence(SequenceKind::Generator, std::move(items));
}

bool isGenerator(const Value &value) {
  return value.sequence() && value.sequence()->kind == SequenceKind::Generator;
}

Result count(Call &call) {
  LATHE_ASSIGN_OR_RETURN(int64_t length, lengthOf(call.subject));
  return Value(length);
}

Result toList(Call &call) {
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(items->items.size()));
  return makeList(items->items);
}

// Takes one item out of a generator.
Result first(Call &call) {
  const Sequence *sequence = call.subject.sequence();
  if (isGenerator(call.subject) && sequence->next < sequence->items.size())
    return sequence->items[sequence->next++];
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  if (items->items.empty())
    return Value::undefined("there is no first item, the sequence is empty");
  return items->items.front();
}

Result last(Call &call) {
  if (isGenerator(call.subject))
    return call.fault("cannot go backwards through a generator; make it a list with '|list'");
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  if (items->items.empty())
    return Value::undefined("there is no last item, the sequence is empty");
  return items->items.back();
}

std::string reversedText(absl::string_view text) {
  std::string out;
  auto characters = splitCodePoints(text);
  for (auto character = characters.rbegin(); character != characters.rend(); ++character)
    absl::StrAppend(&out, *character);
  return out;
}

Result reverse(Call &call) {
  if (call.subject.text()) {
    LATHE_RETURN_IF_ERROR(call.budget.spendText(call.subject.text()->size()));
    return Value(reversedText(*call.subject.text()));
  }
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(items->items.size()));
  return makeSequence(isGenerator(call.subject) ? SequenceKind::List : SequenceKind::Generator,
                      {items->items.rbegin(), items->items.rend()});
}

// The attribute at argument `place`, or the item itself where it is not given.
Result pathOf(Call &call, const Value &item, size_t place) {
  const Value *path = call.argument(place);
  return path && !path->isNone() ? getPath(call.budget, item, *path) : item;
}

Result join(Call &call) {
  LATHE_ASSIGN_OR_RETURN(std::string separator,
                         call.argument(0) ? toText(call.budget, *call.argument(0)) : std::string());
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  std::string out;
  for (const Value &item : items->items) {
    LATHE_ASSIGN_OR_RETURN(Value part, pathOf(call, item, 1));
    LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, part));
    LATHE_RETURN_IF_ERROR(call.budget.spend(1 + separator.size() / 64));
    absl::StrAppend(&out, &item == items->items.data() ? "" : separator, text);
    if (out.size() > call.budget.limits().output_bytes)
      LATHE_RETURN_IF_ERROR(call.budget.spendText(out.size()));
  }
  return Value(std::move(out));
}

Result folded(Call &call, Value key, bool case_sensitive) {
  if (case_sensitive || !key.text())
    return key;
  LATHE_RETURN_IF_ERROR(call.budget.spendText(key.text()->size()));
  return Value(lowerCase(*key.text()));
}

struct Keyed {
  Value key, item;
};

// A failing comparison is remembered; what the sort makes then is thrown away.
absl::Status sortByKey(Call &call, std::vector<Keyed> &items, bool is_reverse) {
  absl::Status failure;
  auto less = [&](const Keyed &a, const Keyed &b) {
    if (!failure.ok())
      return false;
    auto ordering =
        is_reverse ? order(call.budget, b.key, a.key) : order(call.budget, a.key, b.key);
    if (!ordering.ok())
      failure = ordering.status();
    return ordering.ok() && *ordering < 0;
  };
  std::stable_sort(items.begin(), items.end(), less);
  return failure;
}

Result itemsOf(std::vector<Keyed> keyed) {
  std::vector<Value> items;
  for (Keyed &entry : keyed)
    items.push_back(std::move(entry.item));
  return makeList(std::move(items));
}

// "a,b" sorts by a, then by b. The keys are lists, as in Jinja2: undefined keys are then equal to
// each other, where without a list they would have no order.
Result sortKey(Call &call, const Value &item) {
  const Value *path = call.argument(2);
  std::vector<Value> paths = {path ? *path : Value(None{})};
  if (path && path->text()) {
    paths.clear();
    for (absl::string_view part : absl::StrSplit(*path->text(), ','))
      paths.push_back(Value(part));
  }
  std::vector<Value> keys;
  for (const Value &part : paths) {
    LATHE_ASSIGN_OR_RETURN(Value key,
                           part.isNone() ? Result(item) : getPath(call.budget, item, part));
    LATHE_ASSIGN_OR_RETURN(key, folded(call, std::move(key), call.flag(1, false)));
    keys.push_back(std::move(key));
  }
  return makeList(std::move(keys));
}

Result sort(Call &call) {
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(items->items.size()));
  std::vector<Keyed> keyed;
  for (const Value &item : items->items) {
    LATHE_ASSIGN_OR_RETURN(Value key, sortKey(call, item));
    keyed.push_back({std::move(key), item});
  }
  LATHE_RETURN_IF_ERROR(sortByKey(call, keyed, call.flag(0, false)));
  return itemsOf(std::move(keyed));
}

Result dictSort(Call &call) {
  if (!call.subject.mapping())
    return call.fault(absl::StrCat("needs a dict, not a ", typeName(call.subject)));
  LATHE_ASSIGN_OR_RETURN(absl::string_view by, call.text(1, "key"));
  if (by != "key" && by != "value")
    return call.fault("sorts by 'key' or by 'value'");
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(call.subject.mapping()->size()));
  std::vector<Keyed> keyed;
  for (const auto &[key, value] : call.subject.mapping()->entries()) {
    LATHE_ASSIGN_OR_RETURN(Value folded_key,
                           folded(call, by == "key" ? key : value, call.flag(0, false)));
    LATHE_ASSIGN_OR_RETURN(Value pair, makeSequence(SequenceKind::Tuple, {key, value}));
    keyed.push_back({std::move(folded_key), std::move(pair)});
  }
  LATHE_RETURN_IF_ERROR(sortByKey(call, keyed, call.flag(2, false)));
  return itemsOf(std::move(keyed));
}

Result unique(Call &call) {
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(items->items.size()));
  absl::flat_hash_set<Value, KeyHash, KeyEqual> seen;
  std::vector<Value> out;
  for (const Value &item : items->items) {
    LATHE_ASSIGN_OR_RETURN(Value key, pathOf(call, item, 1));
    LATHE_ASSIGN_OR_RETURN(key, folded(call, std::move(key), call.flag(0, false)));
    if (!isHashable(key))
      return call.fault(absl::StrCat("cannot tell apart values of type ", typeName(key)));
    if (seen.insert(key).second)
      out.push_back(item);
  }
  return generator(std::move(out));
}

Result extreme(Call &call, bool wants_least) {
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  if (items->items.empty())
    return Value::undefined("there is no such item, the sequence is empty");
  Keyed best;
  for (const Value &item : items->items) {
    LATHE_ASSIGN_OR_RETURN(Value key, pathOf(call, item, 1));
    LATHE_ASSIGN_OR_RETURN(key, folded(call, std::move(key), call.flag(0, false)));
    bool is_better = &item == items->items.data();
    if (!is_better) {
      LATHE_ASSIGN_OR_RETURN(auto ordering, order(call.budget, key, best.key));
      is_better = wants_least ? ordering < 0 : ordering > 0;
    }
    if (is_better)
      best = {std::move(key), item};
  }
  return best.item;
}

Result least(Call &call) { return extreme(call, true); }
Result greatest(Call &call) { return extreme(call, false); }

Result sum(Call &call) {
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  Value total = call.argument(1) ? *call.argument(1) : Value(int64_t{0});
  if (total.text())
    return call.fault("cannot sum strings; use 'join'");
  for (const Value &item : items->items) {
    LATHE_ASSIGN_OR_RETURN(Value part, pathOf(call, item, 0));
    LATHE_RETURN_IF_ERROR(call.budget.spend(1));
    LATHE_ASSIGN_OR_RETURN(total, applyBinary(call.budget, ast::BinaryOp::Add, total, part));
  }
  return total;
}

Result items(Call &call) {
  if (call.subject.isUndefined())
    return generator({});
  if (!call.subject.mapping())
    return call.fault(absl::StrCat("needs a dict, not a ", typeName(call.subject)));
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(call.subject.mapping()->size()));
  std::vector<Value> pairs;
  for (const auto &[key, value] : call.subject.mapping()->entries()) {
    LATHE_ASSIGN_OR_RETURN(Value pair, makeSequence(SequenceKind::Tuple, {key, value}));
    pairs.push_back(std::move(pair));
  }
  return generator(std::move(pairs));
}

Result batch(Call &call) {
  LATHE_ASSIGN_OR_RETURN(int64_t size, call.integer(0, 1));
  if (size < 1)
    return call.fault("needs a size of at least 1");
  LATHE_ASSIGN_OR_RETURN(Items items, iterate(call.budget, call.subject));
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(items->items.size()));
  std::vector<Value> batches;
  for (size_t at = 0; at < items->items.size(); at += size) {
    size_t end =
        size < static_cast<int64_t>(items->items.size() - at) ? at + size : items->items.size();
    std::vector<Value> part(items->items.begin() + at, items->items.begin() + end);
    if (call.argument(1) && !call.argument(1)->isNone()) {
      LATHE_RETURN_IF_ERROR(call.budget.spendItems(size));
      part.resize(size, *call.argument(1));
    }
    LATHE_ASSIGN_OR_RETURN(Value list, makeList(std::move(part)));
    batches.push_back(std::move(list));
    if (end == items->items.size())
      break;
  }
  return generator(std::move(batches));
}

Result fallback(Call &call) {
  bool replaces = call.subject.isUndefined() || (call.flag(1, false) && !isTrue(call.subject));
  if (!replaces)
    return call.subject;
  return call.argument(0) ? *call.argument(0) : Value("");
}

Result attribute(Call &call) {
  LATHE_ASSIGN_OR_RETURN(absl::string_view name, call.text(0, ""));
  if (call.subject.isUndefined())
    return undefinedError(call.subject);
  if (call.subject.mapping()) // keys are no attributes
    return Value::undefined(absl::StrCat("there is no attribute '", name, "'"));
  return getAttribute(call.subject, name);
}

constexpr Function kFilters[] = {
    {"length", count},
    {"count", count},
    {"list", toList},
    {"first", first},
    {"last", last},
    {"reverse", reverse},
    {"join", join, {"d", "attribute"}},
    {"sort", sort, {"reverse", "case_sensitive", "attribute"}},
    {"dictsort", dictSort, {"case_sensitive", "by", "reverse"}},
    {"unique", unique, {"case_sensitive", "attribute"}},
    {"min", least, {"case_sensitive", "attribute"}},
    {"max", greatest, {"case_sensitive", "attribute"}},
    {"sum", sum, {"attribute", "start"}},
    {"items", items},
    {"batch", batch, {"linecount", "fill_with"}, 1},
    {"default", fallback, {"default_value", "boolean"}},
    {"d", fallback, {"default_value", "boolean"}},
    {"attr", attribute, {"name"}, 1},
};

} // namespace

absl::Span<const Function> sequenceFilters() { return kFilters; }

} // namespace lathe::text
