#include "text/chat/tojson.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/status.h"
#include "text/chat/python_text.h"
#include "text/chat/repr.h"

namespace lathe::text {
namespace {

std::string jsonFloat(double value) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value < 0 ? "-Infinity" : "Infinity";
  return reprFloat(value);
}

void appendUnicodeEscape(std::string &out, char32_t c) {
  if (c >= 0x10000) {
    appendUnicodeEscape(out, 0xD800 + ((c - 0x10000) >> 10));
    c = 0xDC00 + ((c - 0x10000) & 0x3FF);
  }
  absl::StrAppendFormat(&out, "\\u%04x", static_cast<uint32_t>(c));
}

void appendCharacter(std::string &out, char32_t c, bool ensure_ascii) {
  static constexpr absl::string_view kNamed = "\"\\\n\r\t\f\b", kLetters = "\"\\nrtfb";
  size_t named = c < 0x80 ? kNamed.find(static_cast<char>(c)) : absl::string_view::npos;
  if (named != absl::string_view::npos)
    (out += '\\') += kLetters[named];
  else if (c < 0x20 || (ensure_ascii && c > 0x7E))
    appendUnicodeEscape(out, c);
  else
    appendCodePoint(out, c);
}

std::string quoted(absl::string_view text, bool ensure_ascii) {
  std::string out = "\"";
  for (size_t at = 0, length = 0; at < text.size(); at += length)
    appendCharacter(out, decodeAt(text, at, &length), ensure_ascii);
  return out + '"';
}

class Writer {
public:
  Writer(Budget &budget, const JsonStyle &style) : budget_(budget), style_(style) {}

  absl::Status write(const Value &value) {
    LATHE_RETURN_IF_ERROR(budget_.spend(1));
    if (const Sequence *sequence = value.sequence(); sequence && isArray(*sequence))
      return writeArray(sequence->items);
    if (const Mapping *mapping = value.mapping())
      return writeObject(*mapping);
    LATHE_ASSIGN_OR_RETURN(std::string scalar, scalarText(value));
    return append(scalar);
  }
  std::string take() { return std::move(out_); }

private:
  static bool isArray(const Sequence &sequence) {
    return sequence.kind == SequenceKind::List || sequence.kind == SequenceKind::Tuple;
  }

  absl::StatusOr<std::string> scalarText(const Value &value) const {
    if (value.text())
      return quoted(*value.text(), style_.ensure_ascii);
    if (value.isNone())
      return std::string("null");
    if (value.as<bool>())
      return std::string(*value.as<bool>() ? "true" : "false");
    if (value.as<int64_t>())
      return absl::StrCat(*value.as<int64_t>());
    if (value.as<double>())
      return jsonFloat(*value.as<double>());
    return absl::InvalidArgumentError(
        absl::StrCat("an object of type ", typeName(value), " is not JSON serializable"));
  }

  // Keys become strings, whatever they were.
  absl::StatusOr<std::string> keyText(const Value &key) const {
    LATHE_ASSIGN_OR_RETURN(std::string text, scalarText(key));
    return key.text() ? text : absl::StrCat("\"", text, "\"");
  }

  absl::Status append(absl::string_view text) {
    out_.append(text.data(), text.size());
    if (out_.size() > budget_.limits().output_bytes)
      return budget_.spendText(out_.size());
    return budget_.spend(text.size() / 64);
  }

  absl::Status breakLine() {
    if (!style_.is_indented)
      return absl::OkStatus();
    LATHE_RETURN_IF_ERROR(append("\n"));
    for (int i = 0; i < level_; ++i)
      LATHE_RETURN_IF_ERROR(append(style_.indent));
    return absl::OkStatus();
  }

  absl::Status separate(bool is_first) {
    if (!is_first)
      LATHE_RETURN_IF_ERROR(append(style_.item_separator));
    return breakLine();
  }

  absl::Status close(absl::string_view bracket) {
    --level_;
    LATHE_RETURN_IF_ERROR(breakLine());
    return append(bracket);
  }

  absl::Status writeArray(const std::vector<Value> &items) {
    if (items.empty())
      return append("[]");
    LATHE_RETURN_IF_ERROR(append("["));
    ++level_;
    for (size_t i = 0; i < items.size(); ++i) {
      LATHE_RETURN_IF_ERROR(separate(i == 0));
      LATHE_RETURN_IF_ERROR(write(items[i]));
    }
    return close("]");
  }

  std::vector<const Mapping::Entry *> ordered(const Mapping &mapping) const {
    std::vector<const Mapping::Entry *> entries;
    for (const auto &entry : mapping.entries())
      entries.push_back(&entry);
    if (style_.sort_keys)
      std::stable_sort(entries.begin(), entries.end(), [](const auto *a, const auto *b) {
        return *a->first.text() < *b->first.text();
      });
    return entries;
  }

  absl::Status checkSortable(const Mapping &mapping) const {
    for (const auto &[key, value] : mapping.entries())
      if (style_.sort_keys && !key.text())
        return absl::InvalidArgumentError("sort_keys needs a dict whose keys are all strings");
    return absl::OkStatus();
  }

  absl::Status writeObject(const Mapping &mapping) {
    if (mapping.size() == 0)
      return append("{}");
    LATHE_RETURN_IF_ERROR(checkSortable(mapping));
    LATHE_RETURN_IF_ERROR(append("{"));
    ++level_;
    bool is_first = true;
    for (const Mapping::Entry *entry : ordered(mapping)) {
      LATHE_RETURN_IF_ERROR(separate(std::exchange(is_first, false)));
      LATHE_ASSIGN_OR_RETURN(std::string key, keyText(entry->first));
      LATHE_RETURN_IF_ERROR(append(key));
      LATHE_RETURN_IF_ERROR(append(style_.key_separator));
      LATHE_RETURN_IF_ERROR(write(entry->second));
    }
    return close("}");
  }

  Budget &budget_;
  const JsonStyle &style_;
  std::string out_;
  int level_ = 0;
};

} // namespace

absl::StatusOr<std::string> toJson(Budget &budget, const Value &value, const JsonStyle &style) {
  Writer writer(budget, style);
  LATHE_RETURN_IF_ERROR(writer.write(value));
  return writer.take();
}

} // namespace lathe::text
