#include "text/chat/value.h"

#include <algorithm>
#include <cmath>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

namespace lathe::text {
namespace {

int depthOf(const Value &value) {
  if (const Sequence *sequence = value.sequence())
    return sequence->depth;
  if (const Mapping *mapping = value.mapping())
    return mapping->depth();
  if (const Loop *loop = value.loop())
    return loop->items->depth + 1;
  if (const auto *method = value.as<std::shared_ptr<const Method>>())
    return depthOf((*method)->receiver) + 1;
  return 0;
}

absl::Status checkDepth(int depth) {
  if (depth <= kMaxValueDepth)
    return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("lists and dicts nest ", depth, " deep; they may nest ", kMaxValueDepth));
}

absl::string_view sequenceName(SequenceKind kind) {
  switch (kind) {
  case SequenceKind::List: return "list";
  case SequenceKind::Tuple: return "tuple";
  case SequenceKind::Generator: return "generator";
  case SequenceKind::Range: return "range";
  case SequenceKind::Keys: return "dict_keys";
  case SequenceKind::Values: return "dict_values";
  case SequenceKind::Items: return "dict_items";
  }
  return "list";
}

struct TypeName {
  absl::string_view operator()(const Undefined &) const { return "Undefined"; }
  absl::string_view operator()(const None &) const { return "NoneType"; }
  absl::string_view operator()(bool) const { return "bool"; }
  absl::string_view operator()(int64_t) const { return "int"; }
  absl::string_view operator()(double) const { return "float"; }
  absl::string_view operator()(const Text &text) const { return text.markup ? "Markup" : "str"; }
  absl::string_view operator()(const std::shared_ptr<const Sequence> &sequence) const {
    return sequenceName(sequence->kind);
  }
  absl::string_view operator()(const std::shared_ptr<const Mapping> &) const { return "dict"; }
  absl::string_view operator()(Namespace *) const { return "Namespace"; }
  absl::string_view operator()(const MacroRef &) const { return "Macro"; }
  absl::string_view operator()(const std::shared_ptr<const Method> &) const {
    return "builtin_function_or_method";
  }
  absl::string_view operator()(const Function *) const { return "function"; }
  absl::string_view operator()(const std::shared_ptr<const Loop> &) const { return "LoopContext"; }
};

struct Truth {
  bool operator()(const Undefined &) const { return false; }
  bool operator()(const None &) const { return false; }
  bool operator()(bool value) const { return value; }
  bool operator()(int64_t value) const { return value != 0; }
  bool operator()(double value) const { return value != 0; }
  bool operator()(const Text &text) const { return !text.bytes->empty(); }
  bool operator()(const std::shared_ptr<const Sequence> &sequence) const {
    return sequence->kind == SequenceKind::Generator || !sequence->items.empty();
  }
  bool operator()(const std::shared_ptr<const Mapping> &mapping) const {
    return mapping->size() > 0;
  }
  bool operator()(const std::shared_ptr<const Loop> &) const { return true; }
  template <typename T> bool operator()(const T &) const { return true; }
};

template <typename T> const T *pointee(const Value &value) {
  const auto *pointer = value.as<std::shared_ptr<const T>>();
  return pointer ? pointer->get() : nullptr;
}

} // namespace

Value Value::undefined(std::string hint) {
  Value value;
  value.data_ = Undefined{std::make_shared<const std::string>(std::move(hint))};
  return value;
}

const std::string *Value::text() const {
  const Text *text = as<Text>();
  return text ? text->bytes.get() : nullptr;
}

const Sequence *Value::sequence() const { return pointee<Sequence>(*this); }
const Mapping *Value::mapping() const { return pointee<Mapping>(*this); }
const Loop *Value::loop() const { return pointee<Loop>(*this); }

int64_t Value::integral() const { return as<bool>() ? *as<bool>() : *as<int64_t>(); }

double Value::number() const {
  return as<double>() ? *as<double>() : static_cast<double>(integral());
}

absl::StatusOr<Value> makeSequence(SequenceKind kind, std::vector<Value> items) {
  auto sequence = std::make_shared<Sequence>();
  sequence->kind = kind;
  sequence->items = std::move(items);
  for (const Value &item : sequence->items)
    sequence->depth = std::max(sequence->depth, depthOf(item) + 1);
  if (absl::Status status = checkDepth(sequence->depth); !status.ok())
    return status;
  return Value(std::shared_ptr<const Sequence>(std::move(sequence)));
}

bool isHashable(const Value &value) {
  return value.isNone() || value.isNumber() || value.text() != nullptr;
}

size_t KeyHash::operator()(const Value &key) const {
  if (const std::string *text = key.text())
    return absl::HashOf(absl::string_view(*text));
  return key.isNumber() ? absl::HashOf(key.number()) : 0;
}

bool KeyEqual::operator()(const Value &a, const Value &b) const {
  if (a.text() && b.text())
    return *a.text() == *b.text();
  if (a.isIntegral() && b.isIntegral())
    return a.integral() == b.integral();
  if (a.isNumber() && b.isNumber())
    return a.number() == b.number();
  return a.isNone() && b.isNone();
}

const Value *Mapping::find(const Value &key) const {
  if (!isHashable(key))
    return nullptr;
  auto place = places_.find(key);
  return place == places_.end() ? nullptr : &entries_[place->second].second;
}

absl::Status Mapping::insert(Value key, Value value) {
  if (!isHashable(key))
    return absl::InvalidArgumentError(absl::StrCat("a dict's key is a ", typeName(key),
                                                   "; it may be a string, a number or none"));
  depth_ = std::max(depth_, depthOf(value) + 1);
  if (absl::Status status = checkDepth(depth_); !status.ok())
    return status;
  auto [place, is_new] = places_.try_emplace(key, entries_.size());
  if (is_new)
    entries_.emplace_back(std::move(key), std::move(value));
  else
    entries_[place->second].second = std::move(value);
  return absl::OkStatus();
}

absl::string_view typeName(const Value &value) { return std::visit(TypeName(), value.data()); }

bool isTrue(const Value &value) { return std::visit(Truth(), value.data()); }

absl::Status undefinedError(const Value &undefined) {
  const auto &hint = undefined.as<Undefined>()->hint;
  return absl::InvalidArgumentError(hint ? *hint : "a value is undefined");
}

} // namespace lathe::text
