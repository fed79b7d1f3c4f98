// Structs of the other side of the border.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace lathe::runtime {

// As much of a struct of theirs as both sides know; the rest is zero. A field of which a wrong size
// holds only a part is not there either.
template <typename Struct> Struct copyStruct(const Struct *theirs) {
  Struct copy = {};
  const size_t whole = theirs->struct_size / sizeof(void *) * sizeof(void *);
  std::memcpy(static_cast<void *>(&copy), theirs, std::min(whole, sizeof copy));
  copy.struct_size = std::min(whole, sizeof copy);
  return copy;
}

} // namespace lathe::runtime
