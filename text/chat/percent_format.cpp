#include "text/chat/percent_format.h"

#include <cmath>
#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "text/chat/operators.h"
#include "text/chat/python_text.h"
#include "text/chat/repr.h"

namespace lathe::text {
namespace {

constexpr int kMaxWidth = 4096; // and precision

struct Spec {
  std::string key; // of "%(key)s"
  bool has_key = false;
  bool left = false, zero = false, plus = false, space = false, alternate = false;
  int width = 0, precision = -1;
  char conversion = 0;
};

class Formatter {
public:
  Formatter(Budget &budget, const Value &format, const Value &values)
      : budget_(budget), rest_(*format.text()), markup_(format.isMarkup()), values_(values) {
    const Sequence *sequence = values.sequence();
    tuple_ = sequence && sequence->kind == SequenceKind::Tuple ? sequence : nullptr;
  }

  absl::StatusOr<Value> run() {
    while (!rest_.empty()) {
      size_t plain = std::min(rest_.find('%'), rest_.size());
      out_.append(rest_.data(), plain);
      rest_.remove_prefix(plain);
      if (!rest_.empty())
        LATHE_RETURN_IF_ERROR(formatOne());
      LATHE_RETURN_IF_ERROR(budget_.spend(1));
      if (out_.size() > budget_.limits().output_bytes)
        LATHE_RETURN_IF_ERROR(budget_.spendText(out_.size()));
    }
    LATHE_RETURN_IF_ERROR(checkAllUsed());
    LATHE_RETURN_IF_ERROR(budget_.spendText(out_.size()));
    return Value(std::move(out_), markup_);
  }

private:
  absl::Status checkAllUsed() const {
    bool left_over = tuple_ ? used_ < tuple_->items.size()
                            : used_ == 0 && !values_.mapping() && !values_.sequence();
    if (left_over)
      return absl::InvalidArgumentError("not all arguments were used by the format string");
    return absl::OkStatus();
  }

  absl::StatusOr<Value> nextValue(const Spec &spec) {
    if (spec.has_key) {
      const Value *found =
          values_.mapping() ? values_.mapping()->find(absl::string_view(spec.key)) : nullptr;
      if (!found)
        return absl::InvalidArgumentError(
            absl::StrCat("the format string names '", spec.key, "', which is not given"));
      return *found;
    }
    size_t place = used_++;
    if (!tuple_ && place == 0)
      return values_;
    if (tuple_ && place < tuple_->items.size())
      return tuple_->items[place];
    return absl::InvalidArgumentError("there are not enough arguments for the format string");
  }

  absl::StatusOr<int> takeNumber() {
    int number = 0;
    while (!rest_.empty() && absl::ascii_isdigit(rest_[0])) {
      number = number * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
      if (number > kMaxWidth)
        return absl::ResourceExhaustedError(
            absl::StrCat("a width in a format string is more than ", kMaxWidth));
    }
    return number;
  }

  void takeFlags(Spec &spec) {
    for (; !rest_.empty() && absl::StrContains("-0+ #", rest_[0]); rest_.remove_prefix(1)) {
      spec.left |= rest_[0] == '-';
      spec.zero |= rest_[0] == '0';
      spec.plus |= rest_[0] == '+';
      spec.space |= rest_[0] == ' ';
      spec.alternate |= rest_[0] == '#';
    }
  }

  absl::StatusOr<Spec> takeSpec() {
    Spec spec;
    rest_.remove_prefix(1);
    if (absl::StartsWith(rest_, "(")) {
      size_t end = rest_.find(')');
      if (end == absl::string_view::npos)
        return absl::InvalidArgumentError("a key in a format string is not closed");
      spec.key = std::string(rest_.substr(1, end - 1));
      spec.has_key = true;
      rest_.remove_prefix(end + 1);
    }
    takeFlags(spec);
    LATHE_ASSIGN_OR_RETURN(spec.width, takeNumber());
    if (absl::StartsWith(rest_, ".")) {
      rest_.remove_prefix(1);
      LATHE_ASSIGN_OR_RETURN(spec.precision, takeNumber());
    }
    if (rest_.empty())
      return absl::InvalidArgumentError("the format string ends in the middle of a conversion");
    spec.conversion = rest_[0];
    rest_.remove_prefix(1);
    return spec;
  }

  absl::Status formatOne() {
    LATHE_ASSIGN_OR_RETURN(Spec spec, takeSpec());
    if (spec.conversion == '%') {
      out_ += '%';
      return absl::OkStatus();
    }
    LATHE_ASSIGN_OR_RETURN(Value value, nextValue(spec));
    LATHE_ASSIGN_OR_RETURN(std::string text, convert(spec, value));
    pad(spec, std::move(text));
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> convert(const Spec &spec, const Value &value) {
    if (spec.conversion == 's' || spec.conversion == 'r')
      return convertText(spec, value);
    if (absl::StrContains("diuxXo", spec.conversion))
      return convertInteger(spec, value);
    if (absl::StrContains("fFeEgG", spec.conversion))
      return convertFloat(spec, value);
    if (spec.conversion == 'c' && value.text() && codePointCount(*value.text()) == 1)
      return *value.text();
    return absl::InvalidArgumentError(absl::StrCat("the conversion '%",
                                                   std::string(1, spec.conversion), "' of a ",
                                                   typeName(value), " is not offered"));
  }

  absl::StatusOr<std::string> convertText(const Spec &spec, const Value &value) {
    auto converted = spec.conversion == 'r' ? repr(budget_, value) : toText(budget_, value);
    LATHE_ASSIGN_OR_RETURN(std::string text, std::move(converted));
    if (markup_ && !value.isMarkup())
      text = escapeHtml(text);
    if (spec.precision < 0)
      return text;
    std::string cut;
    for (absl::string_view character : splitCodePoints(text))
      if (spec.precision > 0 && codePointCount(cut) < static_cast<size_t>(spec.precision))
        absl::StrAppend(&cut, character);
    return cut;
  }

  static std::string sign(const Spec &spec, bool negative) {
    return negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  }

  absl::StatusOr<std::string> convertInteger(const Spec &spec, const Value &value) {
    bool truncates = value.as<double>() && absl::StrContains("diu", spec.conversion) &&
                     std::fabs(value.number()) < 9e18;
    if (value.isUndefined())
      return undefinedError(value);
    if (!value.isIntegral() && !truncates)
      return absl::InvalidArgumentError(absl::StrCat("'%", std::string(1, spec.conversion),
                                                     "' needs a number, not a ", typeName(value)));
    int64_t number = truncates ? static_cast<int64_t>(value.number()) : value.integral();
    uint64_t magnitude = number < 0 ? 0 - static_cast<uint64_t>(number) : number;
    char digits[32];
    const char *format = spec.conversion == 'x'   ? "%llx"
                         : spec.conversion == 'X' ? "%llX"
                         : spec.conversion == 'o' ? "%llo"
                                                  : "%llu";
    std::snprintf(digits, sizeof digits, format, static_cast<unsigned long long>(magnitude));
    std::string text = digits;
    if (spec.precision > static_cast<int>(text.size()))
      text.insert(0, spec.precision - text.size(), '0');
    if (spec.alternate && absl::StrContains("xXo", spec.conversion))
      text.insert(0, std::string("0") + spec.conversion);
    return sign(spec, number < 0) + text;
  }

  absl::StatusOr<std::string> convertFloat(const Spec &spec, const Value &value) {
    if (value.isUndefined())
      return undefinedError(value);
    if (!value.isNumber())
      return absl::InvalidArgumentError(
          absl::StrCat("a float conversion needs a number, not a ", typeName(value)));
    char digits[kMaxWidth + 400];
    const char format[] = {'%', '.', '*', spec.conversion, 0};
    int precision = spec.precision < 0 ? 6 : spec.precision;
    std::snprintf(digits, sizeof digits, format, precision, std::fabs(value.number()));
    return sign(spec, std::signbit(value.number())) + digits;
  }

  void pad(const Spec &spec, std::string text) {
    size_t length = codePointCount(text), width = spec.width;
    size_t missing = width > length ? width - length : 0;
    bool is_number = absl::StrContains("diuxXofFeEgG", spec.conversion);
    if (spec.left)
      out_ += text + std::string(missing, ' ');
    else if (spec.zero && is_number) {
      size_t sign = !text.empty() && absl::StrContains("+- ", text[0]);
      out_ += text.insert(sign, missing, '0');
    } else
      out_ += std::string(missing, ' ') + text;
  }

  Budget &budget_;
  absl::string_view rest_;
  bool markup_;
  const Value &values_;
  const Sequence *tuple_; // null: `values` is the one value
  size_t used_ = 0;
  std::string out_;
};

} // namespace

absl::StatusOr<Value> percentFormat(Budget &budget, const Value &format, const Value &values) {
  return Formatter(budget, format, values).run();
}

} // namespace lathe::text
