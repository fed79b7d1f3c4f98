// Names and what they stand for, at one level of nesting.
#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "text/chat/value.h"

namespace lathe::text {

// A for, a macro, a `with` and a block open a scope; an `if` does not. What is set inside of one is
// gone behind it.
class Scope {
public:
  explicit Scope(std::shared_ptr<const Scope> parent) : parent_(std::move(parent)) {}

  void set(absl::string_view name, Value value) { values_[name] = std::move(value); }

  // Null if the name is set neither here nor around.
  const Value *find(absl::string_view name) const {
    for (const Scope *scope = this; scope; scope = scope->parent_.get())
      if (auto found = scope->values_.find(name); found != scope->values_.end())
        return &found->second;
    return nullptr;
  }

private:
  std::shared_ptr<const Scope> parent_;
  absl::flat_hash_map<std::string, Value> values_;
};

} // namespace lathe::text
