// The values that a template computes with: Python's, as far as templates see them.
//
// All but a generator's position and a namespace's attributes is immutable, as in the sandbox that
// Hugging Face renders in, so that values are shared freely and no cycle can form. A namespace is
// the only thing that could close one; it is owned by the interpreter and lives as long as the
// rendering does, which is why a value only points to it. The same holds for a macro's scope.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lathe::text {

namespace ast {
struct Macro;
}
class Scope;
class Value;
struct Sequence;
class Mapping;
struct Namespace;
struct Loop;
struct Method;
struct Function;

// What a missing name or key gives. `hint` says what was missing.
struct Undefined {
  std::shared_ptr<const std::string> hint;
};
struct None {};
// `markup`: made by `safe` or `escape`; a plain string added to it is escaped.
struct Text {
  std::shared_ptr<const std::string> bytes;
  bool markup = false;
};
struct MacroRef {
  const ast::Macro *definition;
  Scope *scope; // where the macro was defined
};

class Value {
public:
  using Data =
      std::variant<Undefined, None, bool, int64_t, double, Text, std::shared_ptr<const Sequence>,
                   std::shared_ptr<const Mapping>, Namespace *, MacroRef,
                   std::shared_ptr<const Method>, const Function *, std::shared_ptr<const Loop>>;

  Value() = default; // undefined
  Value(None none) : data_(none) {}
  Value(bool value) : data_(value) {}
  Value(int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(std::string text, bool markup = false)
      : data_(Text{std::make_shared<const std::string>(std::move(text)), markup}) {}
  Value(absl::string_view text) : Value(std::string(text)) {}
  Value(const char *text) : Value(std::string(text)) {}
  template <typename T>
  requires std::is_constructible_v<Data, std::shared_ptr<const T>>
  Value(std::shared_ptr<const T> pointer) : data_(std::move(pointer)) {}
  Value(Namespace *value) : data_(value) {}
  Value(MacroRef value) : data_(value) {}
  Value(const Function *value) : data_(value) {}

  static Value undefined(std::string hint);

  const Data &data() const { return data_; }
  template <typename T> const T *as() const { return std::get_if<T>(&data_); }
  // Null unless it is that kind.
  const std::string *text() const;
  const Sequence *sequence() const;
  const Mapping *mapping() const;
  const Loop *loop() const;

  bool isUndefined() const { return as<Undefined>() != nullptr; }
  bool isNone() const { return as<None>() != nullptr; }
  bool isMarkup() const { return as<Text>() && as<Text>()->markup; }
  // A Python int: an integer, or true and false as 1 and 0.
  bool isIntegral() const { return as<int64_t>() || as<bool>(); }
  bool isNumber() const { return isIntegral() || as<double>(); }
  int64_t integral() const; // only where isIntegral()
  double number() const;    // only where isNumber()

private:
  Data data_;
};

// A list, or what Python has beside lists: told apart where Python does (printing, truth, len).
enum class SequenceKind { List, Tuple, Generator, Range, Keys, Values, Items };

struct Sequence {
  SequenceKind kind;
  std::vector<Value> items;
  int depth = 1;           // of the deepest nesting below
  mutable size_t next = 0; // generators only: the item that comes next
};

// How deep lists and dicts may nest in each other: keeps printing and freeing them off the end of
// the stack.
constexpr int kMaxValueDepth = 100;

absl::StatusOr<Value> makeSequence(SequenceKind kind, std::vector<Value> items);
inline absl::StatusOr<Value> makeList(std::vector<Value> items) {
  return makeSequence(SequenceKind::List, std::move(items));
}

// Keys are what Python hashes, less tuples: strings, numbers (1, 1.0 and true are one key), none.
bool isHashable(const Value &value);
struct KeyHash {
  size_t operator()(const Value &key) const;
};
struct KeyEqual {
  bool operator()(const Value &a, const Value &b) const;
};

// A dict: keeps the order of insertion.
class Mapping {
public:
  using Entry = std::pair<Value, Value>;

  const std::vector<Entry> &entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  int depth() const { return depth_; }
  const Value *find(const Value &key) const;
  const Value *find(absl::string_view key) const { return find(Value(key)); }
  // A key that stands twice keeps its place and takes the later value. Fails on a key that is not
  // hashable, and on too deep a nesting.
  absl::Status insert(Value key, Value value);

private:
  std::vector<Entry> entries_;
  absl::flat_hash_map<Value, size_t, KeyHash, KeyEqual> places_;
  int depth_ = 1;
};

inline Value makeMapping(Mapping mapping) {
  return Value(std::make_shared<const Mapping>(std::move(mapping)));
}

struct Namespace {
  Mapping attributes;
};

// What `loop` names inside a for.
struct Loop {
  std::shared_ptr<const Sequence> items;
  size_t index = 0; // from 0
};

// A method that is bound to a value, as `message.get` is before it is called.
struct Method {
  Value receiver;
  std::string name;
};

// "dict", "str", ... as Python names the type.
absl::string_view typeName(const Value &value);
// `bool(value)`.
bool isTrue(const Value &value);
// The error of using an undefined value where a defined one is needed.
absl::Status undefinedError(const Value &undefined);

} // namespace lathe::text
