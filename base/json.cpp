#include "base/json.h"

#include <string>
#include <unordered_set>
#include <vector>

#include "absl/strings/str_cat.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

// Watches a parse: the depth, and the keys seen so far in each open object.
struct Watch {
  int max_depth;
  std::vector<std::unordered_set<std::string>> keys;
  std::string complaint;

  bool operator()(int depth, Json::parse_event_t event, Json &parsed) {
    using Event = Json::parse_event_t;
    bool opens = event == Event::object_start || event == Event::array_start;
    if (opens && depth >= max_depth && complaint.empty())
      complaint = absl::StrCat("nested deeper than ", max_depth, " levels");
    if (event == Event::object_start)
      keys.emplace_back();
    if (event == Event::object_end && !keys.empty())
      keys.pop_back();
    if (event == Event::key && !keys.empty() && complaint.empty() &&
        !keys.back().insert(parsed.get<std::string>()).second)
      complaint = absl::StrCat("the key '", parsed.get<std::string>(), "' stands twice in one object");
    // Returning false drops the value, which keeps a hostile tree from growing once it is refused.
    return complaint.empty();
  }
};

} // namespace

absl::StatusOr<nlohmann::ordered_json> parseJson(absl::string_view text, absl::string_view source,
                                                 int max_depth) {
  Watch watch{max_depth, {}, {}};
  try {
    Json json = Json::parse(text.begin(), text.end(), std::ref(watch));
    if (!watch.complaint.empty())
      return absl::InvalidArgumentError(absl::StrCat(source, ": ", watch.complaint));
    return json;
  } catch (const Json::exception &error) {
    return absl::InvalidArgumentError(absl::StrCat(source, ": not valid JSON: ", error.what()));
  }
}

} // namespace lathe
