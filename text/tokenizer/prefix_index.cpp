#include "text/tokenizer/prefix_index.h"

#include <algorithm>

namespace lathe::text {

PrefixIndex::PrefixIndex(std::vector<Entry> entries) : entries_(std::move(entries)) {
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(),
                                [](const Entry &entry) { return entry.key.empty(); }),
                 entries_.end());
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry &a, const Entry &b) { return a.key < b.key; });
  first_.fill(0);
  for (const Entry &entry : entries_)
    ++first_[static_cast<uint8_t>(entry.key[0]) + 1];
  for (size_t i = 1; i < first_.size(); ++i)
    first_[i] += first_[i - 1];
}

void PrefixIndex::narrow(size_t &low, size_t &high, size_t depth, uint8_t byte) const {
  auto at = [&](const Entry &entry) { return static_cast<uint8_t>(entry.key[depth]); };
  auto begin = entries_.begin() + low, end = entries_.begin() + high;
  begin = std::partition_point(begin, end, [&](const Entry &entry) { return at(entry) < byte; });
  end = std::partition_point(begin, end, [&](const Entry &entry) { return at(entry) == byte; });
  low = begin - entries_.begin();
  high = end - entries_.begin();
}

} // namespace lathe::text
