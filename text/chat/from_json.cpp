#include "text/chat/from_json.h"

#include "base/status.h"
#include "text/chat/python_text.h"

namespace lathe::text {
namespace {

using Json = nlohmann::ordered_json;

absl::StatusOr<Value> convert(const Json &json, int depth);

absl::StatusOr<Value> convertText(const std::string &text) {
  if (size_t bad = findInvalidUtf8(text); bad != std::string::npos)
    return absl::InvalidArgumentError(
        absl::StrCat("a string of the context is not valid UTF-8 at byte ", bad));
  return Value(text);
}

absl::StatusOr<Value> convertArray(const Json &json, int depth) {
  std::vector<Value> items;
  for (const Json &element : json) {
    LATHE_ASSIGN_OR_RETURN(Value item, convert(element, depth + 1));
    items.push_back(std::move(item));
  }
  return makeList(std::move(items));
}

absl::StatusOr<Value> convertObject(const Json &json, int depth) {
  Mapping mapping;
  for (const auto &[name, element] : json.items()) {
    LATHE_ASSIGN_OR_RETURN(Value key, convertText(name));
    LATHE_ASSIGN_OR_RETURN(Value value, convert(element, depth + 1));
    LATHE_RETURN_IF_ERROR(mapping.insert(std::move(key), std::move(value)));
  }
  return makeMapping(std::move(mapping));
}

absl::StatusOr<Value> convertUnsigned(uint64_t number) {
  if (number > INT64_MAX)
    return absl::InvalidArgumentError(absl::StrCat(
        "the integer ", number, " in the context does not fit in 64 bits with a sign"));
  return Value(static_cast<int64_t>(number));
}

absl::StatusOr<Value> convert(const Json &json, int depth) {
  if (depth > kMaxValueDepth)
    return absl::InvalidArgumentError(
        absl::StrCat("the context nests deeper than ", kMaxValueDepth, " levels"));
  switch (json.type()) {
  case Json::value_t::null: return Value(None{});
  case Json::value_t::boolean: return Value(json.get<bool>());
  case Json::value_t::number_integer: return Value(json.get<int64_t>());
  case Json::value_t::number_unsigned: return convertUnsigned(json.get<uint64_t>());
  case Json::value_t::number_float: return Value(json.get<double>());
  case Json::value_t::string: return convertText(json.get_ref<const std::string &>());
  case Json::value_t::array: return convertArray(json, depth);
  case Json::value_t::object: return convertObject(json, depth);
  default: return absl::InvalidArgumentError("the context holds something that is no JSON value");
  }
}

} // namespace

absl::StatusOr<Value> valueFromJson(const Json &json) { return convert(json, 0); }

} // namespace lathe::text
