#include "text/chat/tests.h"

#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "text/chat/filters.h"
#include "text/chat/known_names.h"
#include "text/chat/operators.h"
#include "text/chat/python_text.h"
#include "text/chat/repr.h"

namespace lathe::text {
namespace {

using Result = absl::StatusOr<Value>;

// A test that only looks at the kind of value.
template <bool (*test)(const Value &)> Result simply(Call &call) {
  return Value(test(call.subject));
}

bool isDefined(const Value &value) { return !value.isUndefined(); }
bool isUndefined(const Value &value) { return value.isUndefined(); }
bool isNone(const Value &value) { return value.isNone(); }
bool isMapping(const Value &value) { return value.mapping() != nullptr; }
bool isString(const Value &value) { return value.text() != nullptr; }
bool isNumber(const Value &value) { return value.isNumber(); }
bool isInteger(const Value &value) { return value.as<int64_t>() != nullptr; }
bool isFloat(const Value &value) { return value.as<double>() != nullptr; }
bool isBoolean(const Value &value) { return value.as<bool>() != nullptr; }
bool isTrueItself(const Value &value) { return value.as<bool>() && *value.as<bool>(); }
bool isFalseItself(const Value &value) { return value.as<bool>() && !*value.as<bool>(); }
bool isEscaped(const Value &value) { return value.isMarkup(); }

bool isIterable(const Value &value) {
  return value.text() || value.sequence() || value.mapping() || value.loop() || value.isUndefined();
}

// What has a length and an item at an index.
bool isSequence(const Value &value) {
  const Sequence *sequence = value.sequence();
  return value.text() || value.mapping() || value.isUndefined() ||
         (sequence &&
          (sequence->kind == SequenceKind::List || sequence->kind == SequenceKind::Tuple ||
           sequence->kind == SequenceKind::Range));
}

bool isCallable(const Value &value) {
  return value.as<MacroRef>() || value.as<const Function *>() || value.isUndefined() ||
         value.as<std::shared_ptr<const Method>>();
}

template <bool (*is_case)(char32_t), bool (*is_other)(char32_t)> Result allCase(Call &call) {
  LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, call.subject));
  bool found = false;
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    char32_t c = decodeAt(text, at, &length);
    if (is_other(c))
      return Value(false);
    found |= is_case(c);
  }
  return Value(found);
}

Result remainderIs(Call &call, int64_t divisor, int64_t wanted) {
  LATHE_ASSIGN_OR_RETURN(
      Value rest, applyBinary(call.budget, ast::BinaryOp::Modulo, call.subject, Value(divisor)));
  LATHE_ASSIGN_OR_RETURN(bool same, equal(call.budget, rest, Value(wanted)));
  return Value(same);
}

Result isEven(Call &call) { return remainderIs(call, 2, 0); }
Result isOdd(Call &call) { return remainderIs(call, 2, 1); }

Result isDivisible(Call &call) {
  LATHE_ASSIGN_OR_RETURN(int64_t divisor, call.integer(0, 1));
  return remainderIs(call, divisor, 0);
}

template <ast::CompareOp op> Result compares(Call &call) {
  LATHE_ASSIGN_OR_RETURN(bool result, compare(call.budget, op, call.subject, *call.argument(0)));
  return Value(result);
}

Result isSameAs(Call &call) {
  const Value &other = *call.argument(0);
  if (call.subject.data().index() != other.data().index())
    return Value(false);
  LATHE_ASSIGN_OR_RETURN(bool same, equal(call.budget, call.subject, other));
  bool is_shared = call.subject.sequence() || call.subject.mapping();
  return Value(is_shared ? call.subject.sequence() == other.sequence() &&
                               call.subject.mapping() == other.mapping()
                         : same);
}

template <typename Found> Result exists(Call &call, Found find) {
  return Value(call.subject.text() && find(*call.subject.text()).ok());
}
Result isFilter(Call &call) { return exists(call, findFilter); }
Result isTest(Call &call) { return exists(call, findTest); }

using Op = ast::CompareOp;
constexpr Function kTests[] = {
    {"defined", simply<isDefined>},
    {"undefined", simply<isUndefined>},
    {"none", simply<isNone>},
    {"mapping", simply<isMapping>},
    {"iterable", simply<isIterable>},
    {"sequence", simply<isSequence>},
    {"string", simply<isString>},
    {"number", simply<isNumber>},
    {"integer", simply<isInteger>},
    {"float", simply<isFloat>},
    {"boolean", simply<isBoolean>},
    {"true", simply<isTrueItself>},
    {"false", simply<isFalseItself>},
    {"callable", simply<isCallable>},
    {"escaped", simply<isEscaped>},
    {"upper", allCase<isUpperCase, isLowerCase>},
    {"lower", allCase<isLowerCase, isUpperCase>},
    {"even", isEven},
    {"odd", isOdd},
    {"divisibleby", isDivisible, {"num"}, 1},
    {"in", compares<Op::In>, {"seq"}, 1},
    {"sameas", isSameAs, {"other"}, 1},
    {"filter", isFilter},
    {"test", isTest},
    {"equalto", compares<Op::Equal>, {"other"}, 1},
    {"eq", compares<Op::Equal>, {"other"}, 1},
    {"==", compares<Op::Equal>, {"other"}, 1},
    {"ne", compares<Op::NotEqual>, {"other"}, 1},
    {"!=", compares<Op::NotEqual>, {"other"}, 1},
    {"lt", compares<Op::Less>, {"other"}, 1},
    {"lessthan", compares<Op::Less>, {"other"}, 1},
    {"<", compares<Op::Less>, {"other"}, 1},
    {"le", compares<Op::LessEqual>, {"other"}, 1},
    {"<=", compares<Op::LessEqual>, {"other"}, 1},
    {"gt", compares<Op::Greater>, {"other"}, 1},
    {"greaterthan", compares<Op::Greater>, {"other"}, 1},
    {">", compares<Op::Greater>, {"other"}, 1},
    {"ge", compares<Op::GreaterEqual>, {"other"}, 1},
    {">=", compares<Op::GreaterEqual>, {"other"}, 1},
};

} // namespace

absl::StatusOr<const Function *> findTest(absl::string_view name) {
  std::vector<absl::string_view> known;
  for (const Function &test : kTests) {
    if (test.name == name)
      return &test;
    known.push_back(test.name);
  }
  return absl::InvalidArgumentError(unknownName("test", name, known, {}));
}

} // namespace lathe::text
