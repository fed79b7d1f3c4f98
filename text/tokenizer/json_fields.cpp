#include "text/tokenizer/json_fields.h"

#include "base/status.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

absl::string_view nameOf(const Json &value) {
  if (value.is_object())
    return "an object";
  if (value.is_array())
    return "a list";
  if (value.is_string())
    return "a string";
  if (value.is_boolean())
    return "a boolean";
  return value.is_null() ? "null" : "a number";
}

} // namespace

absl::Status JsonField::wrong(absl::string_view what) const {
  return absl::InvalidArgumentError(path_.empty() ? absl::StrCat(source_, ": ", what)
                                                  : absl::StrCat(source_, ": ", path_, ": ", what));
}

bool JsonField::has(absl::string_view key) const {
  if (!value_->is_object())
    return false;
  auto found = value_->find(std::string(key));
  return found != value_->end() && !found->is_null();
}

absl::StatusOr<JsonField> JsonField::member(absl::string_view key) const {
  if (!value_->is_object())
    return wrong(
        absl::StrCat("is ", nameOf(*value_), "; should be an object with the key '", key, "'"));
  std::string path = path_.empty() ? std::string(key) : absl::StrCat(path_, ".", key);
  auto found = value_->find(std::string(key));
  if (found == value_->end())
    return absl::InvalidArgumentError(absl::StrCat(source_, ": ", path, ": is missing"));
  return JsonField(*found, source_, path);
}

absl::StatusOr<std::vector<JsonField>> JsonField::elements() const {
  if (!value_->is_array())
    return wrong(absl::StrCat("is ", nameOf(*value_), "; should be a list"));
  std::vector<JsonField> out;
  out.reserve(value_->size());
  for (const Json &element : *value_)
    out.emplace_back(element, source_, absl::StrCat(path_, "[", out.size(), "]"));
  return out;
}

absl::StatusOr<std::vector<JsonField>> JsonField::list(absl::string_view key) const {
  LATHE_ASSIGN_OR_RETURN(JsonField field, member(key));
  return field.elements();
}

absl::StatusOr<std::string> JsonField::string(absl::string_view key) const {
  LATHE_ASSIGN_OR_RETURN(JsonField field, member(key));
  if (!field.value().is_string())
    return field.wrong(absl::StrCat("is ", nameOf(field.value()), "; should be a string"));
  return field.value().get_ref<const std::string &>();
}

absl::StatusOr<std::string> JsonField::character(absl::string_view key) const {
  LATHE_ASSIGN_OR_RETURN(std::string text, string(key));
  if (!text.empty() && decodeAt(text, 0).length == text.size())
    return text;
  LATHE_ASSIGN_OR_RETURN(JsonField field, member(key));
  return field.wrong(absl::StrCat("is '", text, "'; should be exactly one character"));
}

absl::StatusOr<bool> JsonField::boolean(absl::string_view key) const {
  LATHE_ASSIGN_OR_RETURN(JsonField field, member(key));
  if (!field.value().is_boolean())
    return field.wrong(absl::StrCat("is ", nameOf(field.value()), "; should be true or false"));
  return field.value().get<bool>();
}

absl::StatusOr<bool> JsonField::boolean(absl::string_view key, bool when_absent) const {
  if (!has(key))
    return when_absent;
  return boolean(key);
}

absl::StatusOr<int64_t> JsonField::integer(absl::string_view key, int64_t least,
                                           int64_t most) const {
  LATHE_ASSIGN_OR_RETURN(JsonField field, member(key));
  std::string wanted = absl::StrCat("; should be an integer from ", least, " to ", most);
  if (!field.value().is_number_integer())
    return field.wrong(absl::StrCat("is ", nameOf(field.value()), wanted));
  bool too_large = field.value().is_number_unsigned() &&
                   field.value().get<uint64_t>() > static_cast<uint64_t>(most);
  int64_t number = field.value().get<int64_t>();
  if (too_large || number < least || number > most)
    return field.wrong(absl::StrCat("is ", field.value().dump(), wanted));
  return number;
}

} // namespace lathe::text
