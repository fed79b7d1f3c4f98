#include "text/chat/known_names.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lathe::text {
namespace {

// Levenshtein's.
size_t editDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      size_t changed = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

absl::string_view nearest(absl::string_view name, absl::Span<const absl::string_view> known) {
  absl::string_view best;
  size_t best_distance = 3; // farther than that is another word
  for (absl::string_view candidate : known) {
    size_t distance = editDistance(name, candidate);
    if (distance < std::min(best_distance, candidate.size())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

} // namespace

std::string unknownName(absl::string_view what, absl::string_view name,
                        absl::Span<const absl::string_view> known,
                        absl::Span<const absl::string_view> refused) {
  name = name.substr(0, 64);
  std::string list = absl::StrCat("known ones are ", absl::StrJoin(known, ", "));
  if (std::find(refused.begin(), refused.end(), name) != refused.end())
    return absl::StrCat("the ", what, " '", name, "' is not offered in chat templates; ", list);
  absl::string_view near = nearest(name, known);
  std::string hint = near.empty() ? "" : absl::StrCat(" did you mean '", near, "'?");
  return absl::StrCat("unknown ", what, " '", name, "';", hint, " ", list);
}

} // namespace lathe::text
