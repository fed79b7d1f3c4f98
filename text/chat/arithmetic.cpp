// + - * / // % ** over numbers, text and lists, as Python has them; integers end at 64 bits.
#include "text/chat/operators.h"

#include <cmath>

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "text/chat/percent_format.h"

namespace lathe::text {
namespace {

using ast::BinaryOp;

absl::string_view spelling(BinaryOp op) {
  static constexpr absl::string_view kNames[] = {"+", "-", "*", "/", "//", "%", "**"};
  return kNames[static_cast<int>(op)];
}

absl::Status unsupported(BinaryOp op, const Value &left, const Value &right) {
  return absl::InvalidArgumentError(absl::StrCat("'", spelling(op), "' is not defined between a ",
                                                 typeName(left), " and a ", typeName(right)));
}

absl::Status divisionByZero() { return absl::InvalidArgumentError("division by zero"); }

// By reference: the call's own arguments may write the result after this one is bound.
absl::StatusOr<Value> checked(bool overflowed, const int64_t &result) {
  if (overflowed)
    return integerTooLarge();
  return Value(result);
}

absl::StatusOr<Value> integerPower(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0)
      return divisionByZero();
    return Value(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  if (base == 0 || base == 1 || base == -1)
    return Value(exponent == 0 ? int64_t{1} : base == -1 && exponent % 2 == 0 ? int64_t{1} : base);
  int64_t result = 1;
  for (; exponent > 0; --exponent)
    if (__builtin_mul_overflow(result, base, &result))
      return integerTooLarge();
  return Value(result);
}

absl::StatusOr<Value> integerDivide(BinaryOp op, int64_t a, int64_t b) {
  if (b == 0)
    return divisionByZero();
  if (b == -1) // INT64_MIN // -1 overflows
    return op == BinaryOp::Modulo ? Value(int64_t{0}) : negate(Value(a));
  bool rounds_down = a % b != 0 && (a % b < 0) != (b < 0);
  return op == BinaryOp::Modulo ? Value(a % b + (rounds_down ? b : 0))
                                : Value(a / b - (rounds_down ? 1 : 0));
}

absl::StatusOr<Value> onIntegers(BinaryOp op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
  case BinaryOp::Add: return checked(__builtin_add_overflow(a, b, &result), result);
  case BinaryOp::Subtract: return checked(__builtin_sub_overflow(a, b, &result), result);
  case BinaryOp::Multiply: return checked(__builtin_mul_overflow(a, b, &result), result);
  case BinaryOp::Divide:
    if (b == 0)
      return divisionByZero();
    return Value(static_cast<double>(a) / static_cast<double>(b));
  case BinaryOp::FloorDivide:
  case BinaryOp::Modulo: return integerDivide(op, a, b);
  case BinaryOp::Power: return integerPower(a, b);
  }
  return integerTooLarge();
}

double floatModulo(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest == 0)
    return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

// As CPython: not floor(a / b), which can be off by one.
double floatFloorDivide(double a, double b) {
  double quotient = (a - floatModulo(a, b)) / b;
  if (quotient == 0)
    return std::copysign(0.0, a / b);
  double floor = std::floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

absl::StatusOr<Value> floatPower(double a, double b) {
  if (a == 0 && b < 0)
    return divisionByZero();
  double result = std::pow(a, b);
  if (std::isnan(result) && !std::isnan(a) && !std::isnan(b))
    return absl::InvalidArgumentError("a root of a negative number is complex");
  if (std::isinf(result) && !std::isinf(a) && !std::isinf(b))
    return absl::InvalidArgumentError("a power is too large for a float");
  return Value(result);
}

absl::StatusOr<Value> onFloats(BinaryOp op, double a, double b) {
  bool divides = op == BinaryOp::Divide || op == BinaryOp::FloorDivide || op == BinaryOp::Modulo;
  if (divides && b == 0)
    return divisionByZero();
  switch (op) {
  case BinaryOp::Add: return Value(a + b);
  case BinaryOp::Subtract: return Value(a - b);
  case BinaryOp::Multiply: return Value(a * b);
  case BinaryOp::Divide: return Value(a / b);
  case BinaryOp::FloorDivide: return Value(floatFloorDivide(a, b));
  case BinaryOp::Modulo: return Value(floatModulo(a, b));
  case BinaryOp::Power: return floatPower(a, b);
  }
  return divisionByZero();
}

absl::StatusOr<Value> addText(Budget &budget, const Value &left, const Value &right) {
  bool markup = left.isMarkup() || right.isMarkup();
  auto part = [&](const Value &side) {
    return markup && !side.isMarkup() ? escapeHtml(*side.text()) : *side.text();
  };
  uint64_t size = left.text()->size() + right.text()->size();
  LATHE_RETURN_IF_ERROR(budget.spendText(size));
  if (markup)
    LATHE_RETURN_IF_ERROR(budget.spend(size / 10)); // an escape is up to six times as long
  return Value(part(left) + part(right), markup);
}

bool isListOrTuple(const Value &value) {
  const Sequence *sequence = value.sequence();
  return sequence &&
         (sequence->kind == SequenceKind::List || sequence->kind == SequenceKind::Tuple);
}

absl::StatusOr<Value> addSequences(Budget &budget, const Sequence &left, const Sequence &right) {
  LATHE_RETURN_IF_ERROR(budget.spendItems(left.items.size() + right.items.size()));
  std::vector<Value> items = left.items;
  items.insert(items.end(), right.items.begin(), right.items.end());
  return makeSequence(left.kind, std::move(items));
}

// How often something repeats, and how large that is, without overflow.
absl::StatusOr<uint64_t> repeatedSize(uint64_t size, int64_t count) {
  uint64_t total = 0;
  if (count > 0 && __builtin_mul_overflow(size, static_cast<uint64_t>(count), &total))
    return absl::ResourceExhaustedError("a product is too long");
  return total;
}

absl::StatusOr<Value> repeat(Budget &budget, const Value &value, int64_t count) {
  if (const std::string *text = value.text()) {
    LATHE_ASSIGN_OR_RETURN(uint64_t size, repeatedSize(text->size(), count));
    LATHE_RETURN_IF_ERROR(budget.spendText(size));
    std::string out;
    out.reserve(size);
    while (out.size() < size)
      out += *text;
    return Value(std::move(out), value.isMarkup());
  }
  const Sequence &sequence = *value.sequence();
  LATHE_ASSIGN_OR_RETURN(uint64_t size, repeatedSize(sequence.items.size(), count));
  LATHE_RETURN_IF_ERROR(budget.spendItems(size));
  std::vector<Value> items;
  while (items.size() < size)
    items.insert(items.end(), sequence.items.begin(), sequence.items.end());
  return makeSequence(sequence.kind, std::move(items));
}

bool isRepeatable(const Value &value) { return value.text() || isListOrTuple(value); }

} // namespace

absl::StatusOr<Value> applyBinary(Budget &budget, BinaryOp op, const Value &left,
                                  const Value &right) {
  bool formats = op == BinaryOp::Modulo && left.text();
  for (const Value *side : {&left, &right})
    if (side->isUndefined() && !formats)
      return undefinedError(*side);
  if (left.isIntegral() && right.isIntegral())
    return onIntegers(op, left.integral(), right.integral());
  if (left.isNumber() && right.isNumber())
    return onFloats(op, left.number(), right.number());
  if (formats)
    return percentFormat(budget, left, right);
  if (op == BinaryOp::Add && left.text() && right.text())
    return addText(budget, left, right);
  if (op == BinaryOp::Add && isListOrTuple(left) && isListOrTuple(right) &&
      left.sequence()->kind == right.sequence()->kind)
    return addSequences(budget, *left.sequence(), *right.sequence());
  if (op == BinaryOp::Multiply && isRepeatable(left) && right.isIntegral())
    return repeat(budget, left, right.integral());
  if (op == BinaryOp::Multiply && isRepeatable(right) && left.isIntegral())
    return repeat(budget, right, left.integral());
  return unsupported(op, left, right);
}

absl::StatusOr<Value> negate(const Value &value) {
  if (value.isUndefined())
    return undefinedError(value);
  if (value.as<double>())
    return Value(-*value.as<double>());
  if (!value.isIntegral())
    return absl::InvalidArgumentError(
        absl::StrCat("'-' in front of a ", typeName(value), " is not defined"));
  int64_t result = 0;
  return checked(__builtin_sub_overflow(int64_t{0}, value.integral(), &result), result);
}

} // namespace lathe::text
