// Which of many strings does a text begin with? A sorted list, narrowed byte by byte.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace lathe::text {

// Immutable once built; thread-safe. Borrows the keys, which must outlive it.
class PrefixIndex {
public:
  struct Entry {
    absl::string_view key;
    int32_t value;
  };

  PrefixIndex() { first_.fill(0); }
  // Empty keys are left out. Of equal keys all are kept.
  explicit PrefixIndex(std::vector<Entry> entries);

  // Calls visit(key length, value) for each key that `text` begins with, the shortest first.
  template <typename Visit> void forEachPrefix(absl::string_view text, Visit visit) const {
    if (text.empty())
      return;
    uint8_t byte = static_cast<uint8_t>(text[0]);
    size_t low = first_[byte], high = first_[byte + 1];
    for (size_t depth = 1; low < high; ++depth) {
      // Among strings with one beginning, the one that ends here is the smallest.
      for (; low < high && entries_[low].key.size() == depth; ++low)
        visit(depth, entries_[low].value);
      if (depth == text.size())
        return;
      narrow(low, high, depth, static_cast<uint8_t>(text[depth]));
    }
  }

  // True when no key begins with the byte.
  bool none(char byte) const {
    uint8_t index = static_cast<uint8_t>(byte);
    return first_[index] == first_[index + 1];
  }

  const std::vector<Entry> &entries() const { return entries_; } // in order of the keys

private:
  // Of the keys in [low, high), all longer than `depth`, those with `byte` at `depth`.
  void narrow(size_t &low, size_t &high, size_t depth, uint8_t byte) const;

  std::vector<Entry> entries_;
  std::array<uint32_t, 257> first_; // where the keys with each first byte begin
};

} // namespace lathe::text
