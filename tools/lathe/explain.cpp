#include "tools/lathe/explain.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/json.h"
#include "base/status.h"
#include "tools/lathe/table.h"

namespace lathe::cli {
namespace {

using Json = nlohmann::ordered_json;

// An unknown kind of value is shown as the JSON that it is; an absent one as nothing.
std::string field(const Json &object, const char *key) {
  if (!object.is_object() || !object.contains(key))
    return "";
  const Json &value = object[key];
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  std::replace_if(text.begin(), text.end(), absl::ascii_iscntrl, '?');
  return text;
}

std::string withCost(const Json &choice) {
  std::string cost = field(choice, "cost");
  return absl::StrCat(field(choice, "choice"), cost.empty() ? "" : absl::StrCat(" (", cost, ")"));
}

std::string alternatives(const Json &decision) {
  std::string text;
  if (decision.contains("alternatives"))
    for (const Json &choice : decision["alternatives"])
      absl::StrAppend(&text, text.empty() ? "" : ", ", withCost(choice));
  return text;
}

std::string reasons(const Json &decision) {
  std::string why = field(decision, "why"), others = alternatives(decision), text;
  if (!why.empty())
    absl::StrAppend(&text, "      because ", why, "\n");
  if (!others.empty())
    absl::StrAppend(&text, "      instead of ", others, "\n");
  return text;
}

std::vector<std::string> row(const Json &decision) {
  std::string layers = field(decision, "layers");
  return {layers.empty() ? "model" : absl::StrCat("layers ", layers), field(decision, "op"),
          withCost(decision), field(decision, "pass")};
}

// Lines of one step; the columns line up over the whole of it.
std::string stepText(const std::vector<const Json *> &decisions) {
  std::vector<std::vector<std::string>> rows;
  for (const Json *decision : decisions)
    rows.push_back(row(*decision));
  std::string table = formatTable(rows), text;
  size_t begin = 0;
  for (const Json *decision : decisions) {
    size_t end = table.find('\n', begin) + 1;
    absl::StrAppend(&text, table.substr(begin, end - begin), reasons(*decision));
    begin = end;
  }
  return text;
}

} // namespace

absl::StatusOr<std::string> explainText(absl::string_view explain_json) {
  if (explain_json.empty())
    return "";
  LATHE_ASSIGN_OR_RETURN(Json decisions, parseJson(explain_json, "explain"));
  if (!decisions.is_array())
    return absl::InvalidArgumentError(
        absl::StrCat("explain: is of type ", decisions.type_name(), "; it should be an array"));
  std::vector<std::pair<std::string, std::vector<const Json *>>> steps; // in order of appearance
  for (const Json &decision : decisions) {
    std::string step = field(decision, "step");
    auto found = std::find_if(steps.begin(), steps.end(),
                              [&](const auto &entry) { return entry.first == step; });
    if (found == steps.end())
      found = steps.insert(steps.end(), {step, {}});
    found->second.push_back(&decision);
  }
  std::string text;
  for (const auto &[step, entries] : steps)
    absl::StrAppend(&text, step.empty() ? "all steps" : step, "\n", stepText(entries));
  return text;
}

} // namespace lathe::cli
