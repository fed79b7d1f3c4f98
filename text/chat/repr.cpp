#include "text/chat/repr.h"

#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/status.h"
#include "text/chat/python_text.h"

namespace lathe::text {
namespace {

// Digits without a point, and the decimal exponent of the first one.
std::pair<std::string, int> shortestDigits(double magnitude) {
  char buffer[40];
  auto end =
      std::to_chars(buffer, buffer + sizeof buffer, magnitude, std::chars_format::scientific);
  absl::string_view text(buffer, end.ptr - buffer);
  size_t mark = text.find('e');
  int exponent = std::atoi(std::string(text.substr(mark + 1)).c_str());
  std::string digits(text.substr(0, 1));
  if (mark > 2)
    digits.append(text.data() + 2, mark - 2);
  return {digits, exponent};
}

std::string withExponent(std::string digits, int exponent) {
  if (digits.size() > 1)
    digits.insert(1, ".");
  return absl::StrCat(digits,
                      absl::StrFormat("e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent)));
}

std::string withPoint(std::string digits, int exponent) {
  if (exponent < 0)
    return absl::StrCat("0.", std::string(-exponent - 1, '0'), digits);
  size_t whole = exponent + 1;
  if (digits.size() <= whole)
    return absl::StrCat(digits, std::string(whole - digits.size(), '0'), ".0");
  return digits.insert(whole, ".");
}

void appendEscaped(std::string &out, char32_t c, char quote) {
  if (c == static_cast<char32_t>(quote) || c == '\\')
    (out += '\\') += static_cast<char>(c);
  else if (c == '\n')
    out += "\\n";
  else if (c == '\r')
    out += "\\r";
  else if (c == '\t')
    out += "\\t";
  else if (isPythonPrintable(c))
    appendCodePoint(out, c);
  else if (c < 0x100)
    absl::StrAppendFormat(&out, "\\x%02x", static_cast<uint32_t>(c));
  else if (c < 0x10000)
    absl::StrAppendFormat(&out, "\\u%04x", static_cast<uint32_t>(c));
  else
    absl::StrAppendFormat(&out, "\\U%08x", static_cast<uint32_t>(c));
}

// Writes reprs into one string, and pays for it as it grows.
class Writer {
public:
  explicit Writer(Budget &budget) : budget_(budget) {}

  absl::Status write(const Value &value) {
    LATHE_RETURN_IF_ERROR(budget_.spend(1));
    return std::visit([this](const auto &data) { return put(data); }, value.data());
  }
  std::string take() { return std::move(out_); }

private:
  absl::Status append(absl::string_view text) {
    out_.append(text.data(), text.size());
    if (out_.size() > budget_.limits().output_bytes)
      return budget_.spendText(out_.size());
    return budget_.spend(text.size() / 64);
  }

  absl::Status put(const Undefined &) { return append("Undefined"); }
  absl::Status put(const None &) { return append("None"); }
  absl::Status put(bool value) { return append(value ? "True" : "False"); }
  absl::Status put(int64_t value) { return append(absl::StrCat(value)); }
  absl::Status put(double value) { return append(reprFloat(value)); }
  absl::Status put(const Text &text) {
    std::string quoted = reprText(*text.bytes);
    return append(text.markup ? absl::StrCat("Markup(", quoted, ")") : quoted);
  }

  absl::Status put(const std::shared_ptr<const Sequence> &sequence) {
    switch (sequence->kind) {
    case SequenceKind::List: return putItems("[", sequence->items, "]");
    case SequenceKind::Tuple:
      return putItems("(", sequence->items, sequence->items.size() == 1 ? ",)" : ")");
    case SequenceKind::Generator: return append("<generator object>");
    case SequenceKind::Range: return putRange(sequence->items);
    case SequenceKind::Keys: return putItems("dict_keys([", sequence->items, "])");
    case SequenceKind::Values: return putItems("dict_values([", sequence->items, "])");
    case SequenceKind::Items: return putItems("dict_items([", sequence->items, "])");
    }
    return absl::OkStatus();
  }

  absl::Status putItems(absl::string_view open, const std::vector<Value> &items,
                        absl::string_view close) {
    LATHE_RETURN_IF_ERROR(append(open));
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0)
        LATHE_RETURN_IF_ERROR(append(", "));
      LATHE_RETURN_IF_ERROR(write(items[i]));
    }
    return append(close);
  }

  // The bounds are gone; what prints is a range with the same items.
  absl::Status putRange(const std::vector<Value> &items) {
    if (items.empty())
      return append("range(0, 0)");
    int64_t first = items.front().integral(), last = items.back().integral();
    int64_t step = items.size() > 1 ? items[1].integral() - first : 1;
    std::string text = absl::StrCat("range(", first, ", ", last + (step > 0 ? 1 : -1));
    return append(step == 1 ? text + ")" : absl::StrCat(text, ", ", step, ")"));
  }

  absl::Status put(const std::shared_ptr<const Mapping> &mapping) { return putMapping(*mapping); }

  absl::Status putMapping(const Mapping &mapping) {
    LATHE_RETURN_IF_ERROR(append("{"));
    bool first = true;
    for (const auto &[key, value] : mapping.entries()) {
      if (!first)
        LATHE_RETURN_IF_ERROR(append(", "));
      first = false;
      LATHE_RETURN_IF_ERROR(write(key));
      LATHE_RETURN_IF_ERROR(append(": "));
      LATHE_RETURN_IF_ERROR(write(value));
    }
    return append("}");
  }

  absl::Status put(Namespace *const &value) {
    if (++namespaces_ > 10)
      return absl::InvalidArgumentError("a namespace that holds itself cannot be printed");
    LATHE_RETURN_IF_ERROR(append("<Namespace "));
    LATHE_RETURN_IF_ERROR(putMapping(value->attributes));
    --namespaces_;
    return append(">");
  }

  absl::Status put(const MacroRef &) { return append("<Macro>"); }
  absl::Status put(const std::shared_ptr<const Method> &method) {
    return append(absl::StrCat("<built-in method ", method->name, ">"));
  }
  absl::Status put(const Function *const &) { return append("<function>"); }
  absl::Status put(const std::shared_ptr<const Loop> &loop) {
    return append(
        absl::StrCat("<LoopContext ", loop->index + 1, "/", loop->items->items.size(), ">"));
  }

  Budget &budget_;
  std::string out_;
  int namespaces_ = 0; // being printed
};

} // namespace

std::string reprFloat(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  auto [digits, exponent] = shortestDigits(std::fabs(value));
  std::string text = exponent < -4 || exponent >= 16 ? withExponent(digits, exponent)
                                                     : withPoint(digits, exponent);
  return std::signbit(value) ? "-" + text : text;
}

std::string reprText(absl::string_view text) {
  bool has_single = text.find('\'') != absl::string_view::npos;
  bool has_double = text.find('"') != absl::string_view::npos;
  char quote = has_single && !has_double ? '"' : '\'';
  std::string out(1, quote);
  for (size_t at = 0, length = 0; at < text.size(); at += length)
    appendEscaped(out, decodeAt(text, at, &length), quote);
  return out + quote;
}

absl::StatusOr<std::string> repr(Budget &budget, const Value &value) {
  Writer writer(budget);
  LATHE_RETURN_IF_ERROR(writer.write(value));
  return writer.take();
}

absl::StatusOr<std::string> toText(Budget &budget, const Value &value) {
  if (const std::string *text = value.text()) {
    LATHE_RETURN_IF_ERROR(budget.spendText(text->size()));
    return *text;
  }
  if (value.isUndefined())
    return std::string();
  return repr(budget, value);
}

} // namespace lathe::text
