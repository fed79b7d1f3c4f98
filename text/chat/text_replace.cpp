#include "text/chat/text_replace.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "text/chat/python_text.h"

namespace lathe::text {
namespace {

std::vector<size_t> placesOf(absl::string_view text, absl::string_view from, uint64_t count) {
  std::vector<size_t> places;
  size_t at = 0;
  while (places.size() < count && (at = text.find(from, at)) != absl::string_view::npos) {
    places.push_back(at);
    at += from.size();
  }
  return places;
}

// In front of each character, and behind the last.
std::vector<size_t> gapsOf(absl::string_view text, uint64_t count) {
  std::vector<size_t> places;
  size_t length = 0;
  for (size_t at = 0; at < text.size() && places.size() < count; at += length) {
    places.push_back(at);
    decodeAt(text, at, &length);
  }
  if (places.size() < count)
    places.push_back(text.size());
  return places;
}

} // namespace

absl::StatusOr<std::string> replaceText(Budget &budget, absl::string_view text,
                                        absl::string_view from, absl::string_view to,
                                        int64_t count) {
  LATHE_RETURN_IF_ERROR(budget.spendText(text.size()));
  uint64_t most = count < 0 ? UINT64_MAX : static_cast<uint64_t>(count);
  auto places = from.empty() ? gapsOf(text, most) : placesOf(text, from, most);
  LATHE_RETURN_IF_ERROR(budget.spend(places.size() / 8));
  LATHE_RETURN_IF_ERROR(budget.spendText(text.size() + places.size() * to.size()));
  std::string out;
  size_t done = 0;
  for (size_t place : places) {
    absl::StrAppend(&out, text.substr(done, place - done), to);
    done = place + from.size();
  }
  absl::StrAppend(&out, text.substr(done));
  return out;
}

absl::StatusOr<std::string> padText(Budget &budget, absl::string_view text, int64_t left,
                                    int64_t right, absl::string_view fill) {
  left = std::max<int64_t>(left, 0);
  right = std::max<int64_t>(right, 0);
  LATHE_RETURN_IF_ERROR(budget.spendText(left));
  LATHE_RETURN_IF_ERROR(budget.spendText(right));
  LATHE_RETURN_IF_ERROR(budget.spendText(text.size() + (left + right) * fill.size()));
  std::string out;
  for (int64_t i = 0; i < left; ++i)
    absl::StrAppend(&out, fill);
  absl::StrAppend(&out, text);
  for (int64_t i = 0; i < right; ++i)
    absl::StrAppend(&out, fill);
  return out;
}

absl::StatusOr<Value> centerText(Budget &budget, absl::string_view text, int64_t width) {
  auto length = static_cast<int64_t>(codePointCount(text));
  int64_t missing = width > length ? width - length : 0;
  int64_t left = missing / 2 + (missing & width & 1); // CPython's rounding
  LATHE_ASSIGN_OR_RETURN(std::string out, padText(budget, text, left, missing - left));
  return Value(std::move(out));
}

} // namespace lathe::text
