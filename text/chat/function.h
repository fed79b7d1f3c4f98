// What is written in C++ and called from a template: a filter, a test, a method, a global function.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "text/chat/budget.h"
#include "text/chat/value.h"

namespace lathe::text {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// One call, seen from inside the function.
struct Call {
  Budget &budget;
  absl::string_view name;
  const Value &subject; // what is filtered, tested, or has the method; undefined for a global
  Arguments arguments;
  std::array<const Value *, 5> bound = {}; // by place in Function::parameters; null: not given

  const Value *argument(size_t place) const { return bound[place]; }
  // With what stands for an argument that is not given.
  bool flag(size_t place, bool fallback) const;
  absl::StatusOr<int64_t> integer(size_t place, int64_t fallback) const;
  absl::StatusOr<absl::string_view> text(size_t place, absl::string_view fallback) const;
  // "filter 'indent': ..." is put in front by who called.
  absl::Status fault(absl::string_view what) const;
};

constexpr int kVariadic = -1; // takes `arguments` as they are, nothing is bound

struct Function {
  absl::string_view name;
  absl::StatusOr<Value> (*run)(Call &call);
  std::array<absl::string_view, 5> parameters = {};
  int required = 0;
};

// Binds the arguments to the parameters, then runs.
absl::StatusOr<Value> invoke(const Function &function, Budget &budget, const Value &subject,
                             Arguments arguments);

} // namespace lathe::text
