#include "frontend/config.h"

#include <cmath>
#include <map>
#include <set>

#include "absl/strings/str_join.h"

#include "base/json.h"
#include "base/status.h"
#include "frontend/config_keys.h"
#include "frontend/quote.h"

namespace lathe::frontend {

struct ConfigReader::Node {
  std::shared_ptr<const Json> root; // owns what `json` points into
  const Json *json = nullptr;
  std::string source;
  std::string prefix; // of keys in errors: "rope_scaling."
  std::set<std::string, std::less<>> read;
  std::map<std::string, std::shared_ptr<Node>, std::less<>> children;
};

namespace {

constexpr size_t kMaxListLength = 1'000'000;

// The value as it stands in the file, short enough for a message.
std::string valueText(const nlohmann::ordered_json &value) {
  const size_t limit = 60;
  if ((value.is_array() || value.is_object()) && value.size() > limit)
    return value.is_array() ? "a long list" : "a large object";
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() <= limit ? text : text.substr(0, limit) + "...";
}

std::string rangeText(absl::string_view kind, double min, double max) {
  return absl::StrCat(kind, " from ", min, " to ", max);
}
std::string integerRangeText(int64_t min, int64_t max) {
  return absl::StrCat("an integer from ", min, " to ", max);
}

bool isInteger(const nlohmann::ordered_json &value, int64_t min, int64_t max) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
    return false;
  return value.is_number_integer() && value.get<int64_t>() >= min && value.get<int64_t>() <= max;
}

bool isNumber(const nlohmann::ordered_json &value, double min, double max) {
  if (!value.is_number())
    return false;
  double number = value.get<double>();
  return std::isfinite(number) && number >= min && number <= max;
}

} // namespace

absl::StatusOr<ConfigReader> ConfigReader::parse(absl::string_view text, absl::string_view source) {
  LATHE_ASSIGN_OR_RETURN(Json json, parseJson(text, source));
  if (!json.is_object())
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": is ", valueText(json), "; it should be a JSON object"));
  auto node = std::make_shared<Node>();
  node->root = std::make_shared<const Json>(std::move(json));
  node->json = node->root.get();
  node->source = std::string(source);
  return ConfigReader(std::move(node));
}

const ConfigReader::Json &ConfigReader::json() const { return *node_->json; }
const std::string &ConfigReader::source() const { return node_->source; }

bool ConfigReader::has(absl::string_view key) const {
  auto at = json().find(std::string(key));
  return at != json().end() && !at->is_null();
}

std::vector<std::string> ConfigReader::keys() const {
  std::vector<std::string> keys;
  for (const auto &item : json().items())
    keys.push_back(item.key());
  return keys;
}

void ConfigReader::accept(absl::string_view key) const { node_->read.emplace(key); }

const ConfigReader::Json *ConfigReader::value(absl::string_view key) const {
  accept(key);
  auto at = json().find(std::string(key));
  return at == json().end() || at->is_null() ? nullptr : &*at;
}

absl::Status ConfigReader::keyError(absl::string_view key, absl::string_view message) const {
  return absl::InvalidArgumentError(
      absl::StrCat(source(), ": key '", node_->prefix, key, "' ", message));
}

absl::Status ConfigReader::wrong(absl::string_view key, absl::string_view expected) const {
  auto at = json().find(std::string(key));
  if (at == json().end())
    return keyError(key, absl::StrCat("is missing; it should be ", expected));
  return keyError(key, absl::StrCat("is ", valueText(*at), "; it should be ", expected));
}

absl::StatusOr<std::optional<int64_t>>
ConfigReader::nullableInteger(absl::string_view key, int64_t min, int64_t max) const {
  const Json *json = value(key);
  if (!json)
    return std::nullopt;
  if (!isInteger(*json, min, max))
    return wrong(key, integerRangeText(min, max));
  return json->get<int64_t>();
}

absl::StatusOr<std::optional<double>> ConfigReader::nullableNumber(absl::string_view key,
                                                                   double min, double max) const {
  const Json *json = value(key);
  if (!json)
    return std::nullopt;
  if (!isNumber(*json, min, max))
    return wrong(key, rangeText("a number", min, max));
  return json->get<double>();
}

absl::StatusOr<std::optional<bool>> ConfigReader::nullableBoolean(absl::string_view key) const {
  const Json *json = value(key);
  if (!json)
    return std::nullopt;
  if (!json->is_boolean())
    return wrong(key, "true or false");
  return json->get<bool>();
}

absl::StatusOr<std::optional<std::string>>
ConfigReader::nullableString(absl::string_view key) const {
  const Json *json = value(key);
  if (!json)
    return std::nullopt;
  if (!json->is_string())
    return wrong(key, "a string");
  return json->get<std::string>();
}

absl::StatusOr<int64_t> ConfigReader::integer(absl::string_view key, int64_t min,
                                              int64_t max) const {
  LATHE_ASSIGN_OR_RETURN(auto found, nullableInteger(key, min, max));
  return found ? absl::StatusOr<int64_t>(*found) : wrong(key, integerRangeText(min, max));
}

absl::StatusOr<double> ConfigReader::number(absl::string_view key, double min, double max) const {
  LATHE_ASSIGN_OR_RETURN(auto found, nullableNumber(key, min, max));
  return found ? absl::StatusOr<double>(*found) : wrong(key, rangeText("a number", min, max));
}

absl::StatusOr<double> ConfigReader::positiveNumber(absl::string_view key) const {
  const Json *json = value(key);
  if (!json || !isNumber(*json, 0, 1e30) || json->get<double>() <= 0)
    return wrong(key, "a number above 0, at most 1e+30");
  return json->get<double>();
}

absl::StatusOr<bool> ConfigReader::boolean(absl::string_view key) const {
  LATHE_ASSIGN_OR_RETURN(auto found, nullableBoolean(key));
  return found ? absl::StatusOr<bool>(*found) : wrong(key, "true or false");
}

absl::StatusOr<std::string> ConfigReader::string(absl::string_view key) const {
  LATHE_ASSIGN_OR_RETURN(auto found, nullableString(key));
  return found ? absl::StatusOr<std::string>(*std::move(found)) : wrong(key, "a string");
}

absl::StatusOr<int64_t> ConfigReader::integerOr(absl::string_view key, int64_t otherwise,
                                                int64_t min, int64_t max) const {
  LATHE_ASSIGN_OR_RETURN(auto found, nullableInteger(key, min, max));
  return found.value_or(otherwise);
}

absl::StatusOr<double> ConfigReader::numberOr(absl::string_view key, double otherwise, double min,
                                              double max) const {
  LATHE_ASSIGN_OR_RETURN(auto found, nullableNumber(key, min, max));
  return found.value_or(otherwise);
}

absl::StatusOr<bool> ConfigReader::booleanOr(absl::string_view key, bool otherwise) const {
  LATHE_ASSIGN_OR_RETURN(auto found, nullableBoolean(key));
  return found.value_or(otherwise);
}

absl::StatusOr<std::string> ConfigReader::stringOr(absl::string_view key,
                                                   absl::string_view otherwise) const {
  LATHE_ASSIGN_OR_RETURN(auto found, nullableString(key));
  return found ? *std::move(found) : std::string(otherwise);
}

namespace {

// The elements of a list, each of which `fits`.
template <typename T, typename Fits>
std::optional<std::vector<T>> elements(const nlohmann::ordered_json &list, Fits fits) {
  if (!list.is_array() || list.size() > kMaxListLength)
    return std::nullopt;
  std::vector<T> values;
  for (const auto &element : list) {
    if (!fits(element))
      return std::nullopt;
    values.push_back(element.template get<T>());
  }
  return values;
}

} // namespace

absl::StatusOr<std::vector<int64_t>> ConfigReader::integers(absl::string_view key, int64_t min,
                                                            int64_t max) const {
  const Json *list = value(key);
  if (!list)
    return std::vector<int64_t>();
  auto values = elements<int64_t>(*list, [&](const Json &v) { return isInteger(v, min, max); });
  if (!values)
    return wrong(key, absl::StrCat("a list of integers from ", min, " to ", max));
  return *std::move(values);
}

absl::StatusOr<std::vector<double>> ConfigReader::numbers(absl::string_view key, double min,
                                                          double max) const {
  const Json *list = value(key);
  if (!list)
    return std::vector<double>();
  auto values = elements<double>(*list, [&](const Json &v) { return isNumber(v, min, max); });
  if (!values)
    return wrong(key, rangeText("a list of numbers", min, max));
  return *std::move(values);
}

absl::StatusOr<std::vector<std::string>> ConfigReader::strings(absl::string_view key) const {
  const Json *list = value(key);
  if (!list)
    return std::vector<std::string>();
  auto values = elements<std::string>(*list, [](const Json &v) { return v.is_string(); });
  if (!values)
    return wrong(key, "a list of strings");
  return *std::move(values);
}

absl::StatusOr<std::optional<ConfigReader>> ConfigReader::object(absl::string_view key) const {
  const Json *json = value(key);
  if (!json)
    return std::nullopt;
  if (!json->is_object())
    return wrong(key, "an object");
  std::shared_ptr<Node> &child = node_->children[std::string(key)];
  if (!child) {
    child = std::make_shared<Node>();
    child->root = node_->root;
    child->json = json;
    child->source = node_->source;
    child->prefix = absl::StrCat(node_->prefix, key, ".");
  }
  return ConfigReader(child);
}

namespace {

// "'logit_scale' (0.5)"
std::string leftOver(absl::string_view prefix, const std::string &key,
                     const nlohmann::ordered_json &value) {
  return absl::StrCat(quotedName(absl::StrCat(prefix, key)), " (", valueText(value), ")");
}

} // namespace

absl::Status ConfigReader::finish() const {
  const size_t enough = 8; // keys in one message
  std::vector<std::string> unknown;
  bool top = node_->prefix.empty();
  for (const auto &[key, value] : json().items()) {
    bool harmless = top && (isHarmlessKey(key) || isSwitchedOff(key, value));
    if (!harmless && !value.is_null() && !node_->read.count(key) && unknown.size() < enough)
      unknown.push_back(leftOver(node_->prefix, key, value));
  }
  if (!unknown.empty())
    return absl::InvalidArgumentError(absl::StrCat(
        source(), ": not understood, and may change what the model computes: ",
        absl::StrJoin(unknown, ", "), "; remove such a key only if it changes nothing"));
  for (const auto &[key, child] : node_->children)
    LATHE_RETURN_IF_ERROR(ConfigReader(child).finish());
  return absl::OkStatus();
}

absl::StatusOr<std::string> readArchitecture(const ConfigReader &config) {
  LATHE_ASSIGN_OR_RETURN(std::vector<std::string> names, config.strings("architectures"));
  if (names.empty())
    return config.keyError("architectures",
                           "is missing or empty; it should name the model's class");
  if (names.size() > 1)
    return absl::UnimplementedError(absl::StrCat(config.source(), ": key 'architectures' names ",
                                                 names.size(), " classes; one is supported"));
  return names[0];
}

} // namespace lathe::frontend
