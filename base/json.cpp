#include "base/json.h"

#include <string>
#include <unordered_set>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

// A key of a stranger in a message: no control bytes, not any length.
std::string quoted(const std::string &key) {
  const size_t limit = 120;
  return absl::StrCat("'", absl::Utf8SafeCHexEscape(key.substr(0, limit)),
                      key.size() > limit ? "...'" : "'");
}

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
    if (event == Event::key && !keys.empty() && complaint.empty())
      addKey(parsed.get_ref<const std::string &>());
    // Returning false drops the value, which keeps a hostile tree from growing once it is refused.
    return complaint.empty();
  }

  void addKey(const std::string &key) {
    if (!keys.back().insert(key).second)
      complaint = absl::StrCat("the key ", quoted(key), " stands twice in one object");
    else if (keys.back().size() > kMaxJsonKeys)
      complaint = absl::StrCat("an object has more than ", kMaxJsonKeys, " keys");
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
    // The library quotes the token that it stumbled over, which may be the whole text.
    absl::string_view what = error.what();
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": not valid JSON: ", what.substr(0, 400)));
  }
}

} // namespace lathe
