#include "text/chat/functions.h"

#include <algorithm>
#include <ctime>

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "text/chat/operators.h"
#include "text/chat/repr.h"

namespace lathe::text {
namespace {

using Result = absl::StatusOr<Value>;

constexpr int64_t kMaxRange = 100000; // the limit of Jinja2's sandbox

Result range(Call &call) {
  LATHE_ASSIGN_OR_RETURN(int64_t first, call.integer(0, 0));
  LATHE_ASSIGN_OR_RETURN(int64_t second, call.integer(1, 0));
  LATHE_ASSIGN_OR_RETURN(int64_t step, call.integer(2, 1));
  int64_t begin = call.argument(1) ? first : 0, end = call.argument(1) ? second : first;
  if (step == 0)
    return call.fault("is given a step of 0");
  std::vector<Value> items;
  for (int64_t at = begin; step > 0 ? at < end : at > end;) {
    if (items.size() >= kMaxRange)
      return absl::ResourceExhaustedError(
          absl::StrCat("a range of more than ", kMaxRange, " items is not offered"));
    items.push_back(Value(at));
    if (__builtin_add_overflow(at, step, &at))
      break;
  }
  LATHE_RETURN_IF_ERROR(call.budget.spendItems(items.size()));
  return makeSequence(SequenceKind::Range, std::move(items));
}

Result dict(Call &call) {
  LATHE_ASSIGN_OR_RETURN(Mapping mapping, mappingOf(call));
  return makeMapping(std::move(mapping));
}

Result raiseException(Call &call) {
  LATHE_ASSIGN_OR_RETURN(std::string message, toText(call.budget, *call.argument(0)));
  return absl::FailedPreconditionError(message);
}

Result formattedNow(Call &call) {
  LATHE_ASSIGN_OR_RETURN(absl::string_view format, call.text(0, ""));
  std::time_t now = std::time(nullptr);
  std::tm local = {};
  localtime_r(&now, &local);
  char buffer[1024];
  // A space behind tells an empty result from one that does not fit.
  size_t length = std::strftime(buffer, sizeof buffer, absl::StrCat(format, " ").c_str(), &local);
  if (length == 0)
    return call.fault("is given a format whose result is too long");
  return Value(std::string(buffer, length - 1));
}

Result makeNamespace(Call &call) { return call.fault("runs in the interpreter"); }

constexpr Function kFunctions[] = {
    {"range", range, {"start", "stop", "step"}, 1},
    {"dict", dict, {}, kVariadic},
    {"namespace", makeNamespace, {}, kVariadic},
    {"raise_exception", raiseException, {"message"}, 1},
    {"strftime_now", formattedNow, {"format"}, 1},
};

absl::Status insertPairs(Call &call, Mapping &mapping, const Value &pairs) {
  LATHE_ASSIGN_OR_RETURN(auto items, iterate(call.budget, pairs));
  for (const Value &item : items->items) {
    LATHE_ASSIGN_OR_RETURN(auto pair, iterate(call.budget, item));
    if (pair->items.size() != 2)
      return call.fault("needs pairs of a key and a value");
    LATHE_RETURN_IF_ERROR(mapping.insert(pair->items[0], pair->items[1]));
  }
  return absl::OkStatus();
}

} // namespace

const Function *findGlobalFunction(absl::string_view name) {
  for (const Function &function : kFunctions)
    if (function.name == name)
      return &function;
  return nullptr;
}

bool makesNamespace(const Function &function) { return function.run == makeNamespace; }

absl::StatusOr<Mapping> mappingOf(Call &call) {
  const auto &positional = call.arguments.positional;
  if (positional.size() > 1)
    return call.fault("takes one argument without a name at most");
  Mapping mapping;
  if (!positional.empty() && positional[0].mapping()) {
    LATHE_RETURN_IF_ERROR(call.budget.spendItems(positional[0].mapping()->size()));
    mapping = *positional[0].mapping();
  } else if (!positional.empty()) {
    LATHE_RETURN_IF_ERROR(insertPairs(call, mapping, positional[0]));
  }
  for (auto &[name, value] : call.arguments.named)
    LATHE_RETURN_IF_ERROR(mapping.insert(Value(name), value));
  return mapping;
}

bool isRefusedGlobal(absl::string_view name) {
  return name == "joiner" || name == "cycler" || name == "lipsum";
}

} // namespace lathe::text
