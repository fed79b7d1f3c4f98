// Scratch memory of an entry: blocks that are used again once their value is dead.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

namespace onednn {

class Scratch {
public:
  struct Block {
    uint64_t offset, bytes;
  };

  // The first place that is free and large enough.
  Block take(uint64_t bytes) {
    bytes = (bytes + 63) / 64 * 64;
    uint64_t offset = 0;
    for (const auto &[begin, size] : taken_) {
      if (begin - offset >= bytes)
        break;
      offset = begin + size;
    }
    if (bytes > 0)
      taken_[offset] = bytes;
    peak_ = std::max(peak_, offset + bytes);
    return {offset, bytes};
  }

  void giveBack(const Block &block) {
    if (block.bytes > 0)
      taken_.erase(block.offset);
  }
  uint64_t peak() const { return peak_; }

private:
  std::map<uint64_t, uint64_t> taken_; // bytes by offset
  uint64_t peak_ = 0;
};

} // namespace onednn
