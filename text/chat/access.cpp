#include "text/chat/access.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/status.h"
#include "text/chat/ast.h"
#include "text/chat/methods.h"
#include "text/chat/python_text.h"
#include "text/chat/repr.h"

namespace lathe::text {
namespace {

std::string objectName(const Value &object) {
  return object.isNone() ? "None" : absl::StrCat(typeName(object), " object");
}

Value missingAttribute(const Value &object, absl::string_view name) {
  return Value::undefined(absl::StrCat("'", objectName(object), "' has no attribute '", name, "'"));
}

Value methodOf(const Value &object, absl::string_view name) {
  return Value(std::make_shared<const Method>(Method{object, std::string(name)}));
}

Value at(const Loop &loop, int64_t index, absl::string_view what) {
  const auto &items = loop.items->items;
  if (index >= 0 && index < static_cast<int64_t>(items.size()))
    return items[index];
  return Value::undefined(absl::StrCat("there is no ", what, " item"));
}

Value loopAttribute(const Value &object, const Loop &loop, absl::string_view name) {
  auto length = static_cast<int64_t>(loop.items->items.size());
  auto index = static_cast<int64_t>(loop.index);
  if (name == "index0")
    return Value(index);
  if (name == "index")
    return Value(index + 1);
  if (name == "first")
    return Value(index == 0);
  if (name == "last")
    return Value(index + 1 == length);
  if (name == "length")
    return Value(length);
  if (name == "revindex")
    return Value(length - index);
  if (name == "revindex0")
    return Value(length - index - 1);
  if (name == "previtem")
    return at(loop, index - 1, "previous");
  if (name == "nextitem")
    return at(loop, index + 1, "next");
  if (name == "depth")
    return Value(int64_t{1}); // only a recursive for has more
  if (name == "depth0")
    return Value(int64_t{0});
  return hasMethod(object, name) ? methodOf(object, name) : missingAttribute(object, name);
}

absl::StatusOr<Value> indexed(const Value &object, int64_t index) {
  const std::string *text = object.text();
  const Sequence *sequence = object.sequence();
  std::vector<absl::string_view> characters;
  if (text)
    characters = splitCodePoints(*text);
  auto length = static_cast<int64_t>(text ? characters.size() : sequence->items.size());
  int64_t place = index < 0 ? index + length : index;
  if (place < 0 || place >= length)
    return Value::undefined(absl::StrCat("'", objectName(object), "' has no element ", index));
  return text ? Value(std::string(characters[place]), object.isMarkup()) : sequence->items[place];
}

bool isIndexable(const Value &object) {
  if (object.text())
    return true;
  const Sequence *sequence = object.sequence();
  return sequence &&
         (sequence->kind == SequenceKind::List || sequence->kind == SequenceKind::Tuple ||
          sequence->kind == SequenceKind::Range);
}

absl::StatusOr<int64_t> bound(const Value &value, int64_t fallback) {
  if (value.isNone())
    return fallback;
  if (value.isUndefined())
    return undefinedError(value);
  if (!value.isIntegral())
    return absl::InvalidArgumentError(
        absl::StrCat("a slice's bounds are integers or none, not a ", typeName(value)));
  return value.integral();
}

// The places that begin:end:step selects, by the rules of Python's slice.indices().
absl::StatusOr<std::vector<size_t>> slicePlaces(Budget &budget, int64_t length, const Value &begin,
                                                const Value &end, const Value &step) {
  LATHE_ASSIGN_OR_RETURN(int64_t stride, bound(step, 1));
  if (stride == 0)
    return absl::InvalidArgumentError("a slice's step is 0");
  int64_t lowest = stride < 0 ? -1 : 0, highest = stride < 0 ? length - 1 : length;
  auto clamp = [&](int64_t place) {
    return std::clamp(place < 0 ? place + length : place, lowest, highest);
  };
  LATHE_ASSIGN_OR_RETURN(int64_t from, bound(begin, 0));
  LATHE_ASSIGN_OR_RETURN(int64_t to, bound(end, 0));
  from = begin.isNone() ? (stride < 0 ? highest : lowest) : clamp(from);
  to = end.isNone() ? (stride < 0 ? lowest : highest) : clamp(to);
  std::vector<size_t> places;
  int64_t distance = stride < 0 ? from - to : to - from;
  uint64_t size = stride < 0 ? 0 - static_cast<uint64_t>(stride) : stride;
  LATHE_RETURN_IF_ERROR(budget.spend(distance > 0 ? distance / size / 8 + 1 : 1));
  for (uint64_t gone = 0; distance > 0 && gone < static_cast<uint64_t>(distance); gone += size) {
    places.push_back(stride < 0 ? from - gone : from + gone);
    if (size > static_cast<uint64_t>(distance))
      break;
  }
  return places;
}

absl::StatusOr<Value> sliceText(const Value &object, const std::vector<size_t> &places,
                                const std::vector<absl::string_view> &characters) {
  std::string out;
  for (size_t place : places)
    absl::StrAppend(&out, characters[place]);
  return Value(std::move(out), object.isMarkup());
}

} // namespace

absl::StatusOr<Value> getAttribute(const Value &object, absl::string_view name) {
  if (object.isUndefined())
    return undefinedError(object);
  if (const auto *space = object.as<Namespace *>()) {
    const Value *found = (*space)->attributes.find(name);
    return found ? *found : missingAttribute(object, name);
  }
  if (const Loop *loop = object.loop())
    return loopAttribute(object, *loop, name);
  if (const auto *macro = object.as<MacroRef>(); macro && name == "name")
    return Value(macro->definition->name);
  if (hasMethod(object, name))
    return methodOf(object, name);
  const Value *found = object.mapping() ? object.mapping()->find(name) : nullptr;
  return found ? *found : missingAttribute(object, name);
}

absl::StatusOr<Value> getItem(Budget &budget, const Value &object, const Value &index) {
  if (object.isUndefined())
    return undefinedError(object);
  if (const Value *found = object.mapping() ? object.mapping()->find(index) : nullptr)
    return *found;
  if (index.isIntegral() && isIndexable(object)) {
    if (object.text())
      LATHE_RETURN_IF_ERROR(budget.spend(object.text()->size() / 16));
    return indexed(object, index.integral());
  }
  if (!index.text()) {
    LATHE_ASSIGN_OR_RETURN(std::string shown, repr(budget, index));
    return Value::undefined(absl::StrCat("'", objectName(object), "' has no element ", shown));
  }
  if (object.mapping())
    return hasMethod(object, *index.text()) ? methodOf(object, *index.text())
                                            : missingAttribute(object, *index.text());
  return getAttribute(object, *index.text());
}

absl::StatusOr<Value> getSlice(Budget &budget, const Value &object, const Value &begin,
                               const Value &end, const Value &step) {
  if (object.isUndefined())
    return undefinedError(object);
  if (!isIndexable(object))
    return absl::InvalidArgumentError(absl::StrCat("a ", typeName(object), " cannot be sliced"));
  std::vector<absl::string_view> characters;
  if (object.text()) {
    LATHE_RETURN_IF_ERROR(budget.spendText(object.text()->size()));
    LATHE_RETURN_IF_ERROR(budget.spend(object.text()->size() / 16));
    characters = splitCodePoints(*object.text());
  }
  size_t length = object.text() ? characters.size() : object.sequence()->items.size();
  LATHE_ASSIGN_OR_RETURN(std::vector<size_t> places,
                         slicePlaces(budget, static_cast<int64_t>(length), begin, end, step));
  if (object.text())
    return sliceText(object, places, characters);
  LATHE_RETURN_IF_ERROR(budget.spendItems(places.size()));
  std::vector<Value> items;
  for (size_t place : places)
    items.push_back(object.sequence()->items[place]);
  return makeSequence(object.sequence()->kind, std::move(items));
}

absl::StatusOr<Value> getPath(Budget &budget, const Value &object, const Value &path) {
  if (!path.text())
    return getItem(budget, object, path);
  Value value = object;
  for (absl::string_view part : absl::StrSplit(*path.text(), '.')) {
    int64_t index = 0;
    bool is_index = !part.empty() && part.find_first_not_of("0123456789") == part.npos &&
                    absl::SimpleAtoi(part, &index);
    LATHE_ASSIGN_OR_RETURN(value, getItem(budget, value, is_index ? Value(index) : Value(part)));
  }
  return value;
}

} // namespace lathe::text
