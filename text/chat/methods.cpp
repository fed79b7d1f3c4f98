#include "text/chat/methods.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "text/chat/access.h"
#include "text/chat/known_names.h"
#include "text/chat/method_tables.h"
#include "text/chat/operators.h"

namespace lathe::text {
namespace {

using Result = absl::StatusOr<Value>;

Result dictGet(Call &call) {
  if (!isHashable(*call.argument(0)) && !call.argument(0)->isUndefined())
    return call.fault(absl::StrCat("cannot look up a ", typeName(*call.argument(0))));
  if (const Value *found = call.subject.mapping()->find(*call.argument(0)))
    return *found;
  return call.argument(1) ? *call.argument(1) : Value(None{});
}

Result dictView(Call &call, SequenceKind kind) {
  const Mapping &mapping = *call.subject.mapping();
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(mapping.size()));
  std::vector<Value> items;
  for (const auto &[key, value] : mapping.entries()) {
    Value item = kind == SequenceKind::Keys ? key : value;
    if (kind == SequenceKind::Items) {
      LATHE_ASSIGN_OR_RETURN(item, makeSequence(SequenceKind::Tuple, {key, value}));
    }
    items.push_back(std::move(item));
  }
  return makeSequence(kind, std::move(items));
}

Result dictKeys(Call &call) { return dictView(call, SequenceKind::Keys); }
Result dictValues(Call &call) { return dictView(call, SequenceKind::Values); }
Result dictItems(Call &call) { return dictView(call, SequenceKind::Items); }
Result itself(Call &call) { return call.subject; }

Result listIndex(Call &call) {
  const auto &items = call.subject.sequence()->items;
  for (size_t i = 0; i < items.size(); ++i) {
    LATHE_ASSIGN_OR_RETURN(bool same, equal(call.budget, items[i], *call.argument(0)));
    if (same)
      return Value(static_cast<int64_t>(i));
  }
  return call.fault("finds no such item");
}

Result listCount(Call &call) {
  int64_t count = 0;
  for (const Value &item : call.subject.sequence()->items) {
    LATHE_ASSIGN_OR_RETURN(bool same, equal(call.budget, item, *call.argument(0)));
    count += same;
  }
  return Value(count);
}

Result loopCycle(Call &call) {
  const auto &choices = call.arguments.positional;
  if (choices.empty() || !call.arguments.named.empty())
    return call.fault("needs the values to go through");
  return choices[call.subject.loop()->index % choices.size()];
}

constexpr Function kDictMethods[] = {
    {"get", dictGet, {"key", "default"}, 1},
    {"keys", dictKeys},
    {"values", dictValues},
    {"items", dictItems},
    {"copy", itself},
};
constexpr absl::string_view kRefusedDict[] = {"clear",   "fromkeys",   "pop",
                                              "popitem", "setdefault", "update"};

constexpr Function kListMethods[] = {
    {"index", listIndex, {"value"}, 1},
    {"count", listCount, {"value"}, 1},
    {"copy", itself},
};
constexpr absl::string_view kRefusedList[] = {"append", "clear",  "extend",  "insert",
                                              "pop",    "remove", "reverse", "sort"};

constexpr Function kTupleMethods[] = {kListMethods[0], kListMethods[1]};

constexpr Function kLoopMethods[] = {{"cycle", loopCycle, {}, kVariadic}};
constexpr absl::string_view kRefusedLoop[] = {"changed"};

constexpr absl::string_view kRefusedText[] = {
    "encode",      "expandtabs", "format_map", "isascii",  "isidentifier",
    "isprintable", "maketrans",  "translate",  "casefold", "istitle"};

struct Table {
  absl::Span<const Function> methods;
  absl::Span<const absl::string_view> refused;
  absl::string_view change; // what to write where a method would change its value
};

Table tableOf(const Value &object) {
  if (object.text())
    return {textMethods(), kRefusedText, ""};
  if (object.mapping())
    return {kDictMethods, kRefusedDict, "{% set x = dict(x, key=value) %}"};
  if (object.loop())
    return {kLoopMethods, kRefusedLoop, ""};
  if (object.sequence() && object.sequence()->kind == SequenceKind::List)
    return {kListMethods, kRefusedList, "{% set x = x + [item] %}"};
  if (object.sequence() && object.sequence()->kind == SequenceKind::Tuple)
    return {kTupleMethods, {}, ""};
  return {{}, {}, ""};
}

const Function *findMethod(const Table &table, absl::string_view name) {
  for (const Function &method : table.methods)
    if (method.name == name)
      return &method;
  return nullptr;
}

std::string unknownMethod(const Table &table, const Method &method) {
  std::vector<absl::string_view> known;
  for (const Function &function : table.methods)
    known.push_back(function.name);
  std::string what = absl::StrCat(typeName(method.receiver), " method");
  std::string text = unknownName(what, method.name, known, table.refused);
  if (table.change.empty())
    return text;
  return absl::StrCat(text, "; values cannot be changed in place, write '", table.change, "'");
}

} // namespace

bool hasMethod(const Value &object, absl::string_view name) {
  Table table = tableOf(object);
  return findMethod(table, name) ||
         std::find(table.refused.begin(), table.refused.end(), name) != table.refused.end();
}

absl::StatusOr<Value> callMethod(Budget &budget, const Method &method, Arguments arguments) {
  Table table = tableOf(method.receiver);
  if (const Function *function = findMethod(table, method.name))
    return invoke(*function, budget, method.receiver, std::move(arguments));
  return absl::InvalidArgumentError(unknownMethod(table, method));
}

} // namespace lathe::text
