#include "tools/lathe/stop_texts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

namespace lathe::cli {

size_t StopTexts::firstStop() const {
  size_t first = std::string::npos;
  for (const std::string &stop : stops_)
    first = std::min(first, pending_.find(stop));
  return first;
}

// Bytes at the end of `pending_` that begin a stop text.
size_t StopTexts::heldBack() const {
  size_t held = 0;
  absl::string_view pending = pending_;
  for (const std::string &stop : stops_)
    for (size_t size = std::min(stop.size() - 1, pending.size()); size > held; --size)
      if (absl::StartsWith(stop, pending.substr(pending.size() - size)))
        held = size;
  return held;
}

std::string StopTexts::push(absl::string_view piece) {
  pending_.append(piece.data(), piece.size());
  size_t stop = firstStop();
  found_ = stop != std::string::npos;
  size_t shown = found_ ? stop : pending_.size() - heldBack();
  std::string text = pending_.substr(0, shown);
  pending_.erase(0, shown);
  return text;
}

std::string StopTexts::flush() { return std::exchange(pending_, ""); }

} // namespace lathe::cli
