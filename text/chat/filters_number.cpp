// Filters that give numbers.
#include "text/chat/filters.h"

#include <cmath>
#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "base/status.h"
#include "text/chat/operators.h"
#include "text/chat/python_text.h"

namespace lathe::text {
namespace {

using Result = absl::StatusOr<Value>;

// Python's int(text, base) and float(text) take white space around and single underscores between.
std::string digitsOf(absl::string_view text) {
  std::string digits(strip(text));
  for (size_t i = 1; i + 1 < digits.size(); ++i)
    if (digits[i] == '_' && isxdigit(digits[i - 1]) && isxdigit(digits[i + 1]))
      digits.erase(i, 1);
  return digits;
}

bool parseInteger(absl::string_view text, int64_t base, int64_t *out) {
  std::string digits = digitsOf(text);
  if (digits.empty() || isspace(digits[0]))
    return false;
  return base == 10 ? absl::SimpleAtoi(digits, out)
                    : absl::numbers_internal::safe_strtoi_base(digits, out, base);
}

bool parseFloat(absl::string_view text, double *out) {
  std::string digits = digitsOf(text);
  if (digits.find_first_of("xXpP(") != std::string::npos)
    return false;
  return absl::SimpleAtod(digits, out);
}

Result fromFloat(double value, const Value &fallback) {
  if (!std::isfinite(value))
    return fallback;
  if (std::fabs(value) >= 9223372036854775808.0)
    return integerTooLarge();
  return Value(static_cast<int64_t>(value));
}

Result toInt(Call &call) {
  Value fallback = call.argument(0) ? *call.argument(0) : Value(int64_t{0});
  LATHE_ASSIGN_OR_RETURN(int64_t base, call.integer(1, 10));
  if (base != 10 && base != 16 && base != 8 && base != 2)
    return call.fault("knows the bases 2, 8, 10 and 16");
  if (call.subject.isUndefined())
    return undefinedError(call.subject);
  if (call.subject.isIntegral())
    return Value(call.subject.integral());
  if (call.subject.as<double>())
    return fromFloat(call.subject.number(), fallback);
  int64_t integer = 0;
  double real = 0;
  if (call.subject.text() && parseInteger(*call.subject.text(), base, &integer))
    return Value(integer);
  if (call.subject.text() && parseFloat(*call.subject.text(), &real))
    return fromFloat(real, fallback);
  return fallback;
}

Result toFloat(Call &call) {
  if (call.subject.isUndefined())
    return undefinedError(call.subject);
  if (call.subject.isNumber())
    return Value(call.subject.number());
  double real = 0;
  if (call.subject.text() && parseFloat(*call.subject.text(), &real))
    return Value(real);
  return call.argument(0) ? *call.argument(0) : Value(0.0);
}

absl::Status needNumber(Call &call) {
  if (call.subject.isUndefined())
    return undefinedError(call.subject);
  if (!call.subject.isNumber())
    return call.fault(absl::StrCat("needs a number, not a ", typeName(call.subject)));
  return absl::OkStatus();
}

Result absolute(Call &call) {
  LATHE_RETURN_IF_ERROR(needNumber(call));
  bool is_negative = call.subject.number() < 0;
  if (call.subject.as<double>())
    return Value(std::fabs(call.subject.number()));
  return is_negative ? negate(call.subject) : Value(call.subject.integral());
}

// To even at a tie, of the exact binary value: what the C library prints, too.
Result roundHalfEven(double value, int64_t precision) {
  char digits[400];
  if (!std::isfinite(value) || precision > 30)
    return Value(value);
  std::snprintf(digits, sizeof digits, "%.*f", static_cast<int>(precision), value);
  double rounded = value;
  (void)absl::SimpleAtod(digits, &rounded);
  return Value(rounded);
}

Result roundTo(Call &call) {
  LATHE_RETURN_IF_ERROR(needNumber(call));
  LATHE_ASSIGN_OR_RETURN(int64_t precision, call.integer(0, 0));
  LATHE_ASSIGN_OR_RETURN(absl::string_view method, call.text(1, "common"));
  if (precision < 0)
    return call.fault("knows no negative precision");
  if (method == "common" && call.subject.isIntegral())
    return Value(call.subject.integral());
  double value = call.subject.number();
  if (method == "common")
    return roundHalfEven(value, precision);
  if (method != "ceil" && method != "floor")
    return call.fault("knows the methods 'common', 'ceil' and 'floor'");
  double scale = std::pow(10.0, static_cast<double>(precision));
  if (!std::isfinite(value * scale))
    return call.fault("is given a number that is too large");
  return Value((method == "ceil" ? std::ceil(value * scale) : std::floor(value * scale)) / scale);
}

constexpr Function kFilters[] = {
    {"int", toInt, {"default", "base"}},
    {"float", toFloat, {"default"}},
    {"abs", absolute},
    {"round", roundTo, {"precision", "method"}},
};

} // namespace

absl::Span<const Function> numberFilters() { return kFilters; }

} // namespace lathe::text
