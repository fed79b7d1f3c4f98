#include "tools/lathe/nearest.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace lathe::cli {
namespace {

constexpr size_t kLongest = 64; // no flag is longer; keeps the distance cheap for any input

} // namespace

// Damerau 1964, restricted: a swapped pair is not edited again.
int editDistance(absl::string_view a, absl::string_view b) {
  size_t width = b.size() + 1;
  std::vector<int> table((a.size() + 1) * width);
  auto at = [&](size_t i, size_t j) -> int & { return table[i * width + j]; };
  for (size_t i = 0; i <= a.size(); ++i)
    at(i, 0) = static_cast<int>(i);
  for (size_t j = 0; j <= b.size(); ++j)
    at(0, j) = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      int replaced = at(i - 1, j - 1) + (a[i - 1] != b[j - 1]);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  return at(a.size(), b.size());
}

std::string nearest(absl::string_view word, const std::vector<std::string> &known) {
  if (word.empty() || word.size() > kLongest)
    return "";
  int best = static_cast<int>(word.size() + 2) / 3 + 1;
  std::string found;
  for (const std::string &candidate : known) {
    bool beginning = word.size() > 3 && absl::StartsWith(candidate, word);
    int distance = beginning ? 1 : editDistance(word, candidate);
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::string didYouMean(absl::string_view word, const std::vector<std::string> &known) {
  std::string found = nearest(word, known);
  return found.empty() ? "" : absl::StrCat("; did you mean ", found, "?");
}

} // namespace lathe::cli
