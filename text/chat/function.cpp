#include "text/chat/function.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "base/status.h"

namespace lathe::text {
namespace {

size_t parameterCount(const Function &function) {
  auto end = std::find(function.parameters.begin(), function.parameters.end(), "");
  return end - function.parameters.begin();
}

absl::Status bindNamed(const Function &function, Call &call) {
  for (const auto &[name, value] : call.arguments.named) {
    auto place = std::find(function.parameters.begin(), function.parameters.end(), name);
    if (name.empty() || place == function.parameters.end())
      return call.fault(absl::StrCat("takes no argument named '", name, "'"));
    const Value *&slot = call.bound[place - function.parameters.begin()];
    if (slot)
      return call.fault(absl::StrCat("is given the argument '", name, "' twice"));
    slot = &value;
  }
  return absl::OkStatus();
}

absl::Status bind(const Function &function, Call &call) {
  size_t count = parameterCount(function), given = call.arguments.positional.size();
  if (given > count)
    return call.fault(absl::StrCat("takes at most ", count, " arguments but is given ", given));
  for (size_t i = 0; i < given; ++i)
    call.bound[i] = &call.arguments.positional[i];
  LATHE_RETURN_IF_ERROR(bindNamed(function, call));
  for (int i = 0; i < function.required; ++i)
    if (!call.bound[i])
      return call.fault(absl::StrCat("needs the argument '", function.parameters[i], "'"));
  return absl::OkStatus();
}

} // namespace

bool Call::flag(size_t place, bool fallback) const {
  return bound[place] ? isTrue(*bound[place]) : fallback;
}

absl::StatusOr<int64_t> Call::integer(size_t place, int64_t fallback) const {
  const Value *value = bound[place];
  if (!value)
    return fallback;
  if (value->isUndefined())
    return undefinedError(*value);
  if (!value->isIntegral())
    return fault(absl::StrCat("needs an int but is given a ", typeName(*value)));
  return value->integral();
}

absl::StatusOr<absl::string_view> Call::text(size_t place, absl::string_view fallback) const {
  const Value *value = bound[place];
  if (!value)
    return fallback;
  if (value->isUndefined())
    return undefinedError(*value);
  if (!value->text())
    return fault(absl::StrCat("needs a str but is given a ", typeName(*value)));
  return absl::string_view(*value->text());
}

absl::Status Call::fault(absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat("'", name, "' ", what));
}

absl::StatusOr<Value> invoke(const Function &function, Budget &budget, const Value &subject,
                             Arguments arguments) {
  Call call{budget, function.name, subject, std::move(arguments)};
  if (function.required != kVariadic)
    LATHE_RETURN_IF_ERROR(bind(function, call));
  return function.run(call);
}

} // namespace lathe::text
