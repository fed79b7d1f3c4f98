// Where buffers go in a block of memory.
#pragma once

#include <cstdint>

#include "llvm/ADT/ArrayRef.h"

namespace lathe::passes {

struct Buffer {
  int64_t bytes;       // a multiple of the alignment, greater than 0
  int64_t first, last; // lives from op `first` to op `last`, both included
  int64_t offset = 0;  // the answer
};

// Gives each buffer an offset at which no buffer that lives at the same time overlaps it. Returns
// the bytes of memory that they need together. (Greedy by size with the best gap: Pisarchyk and
// Lee, "Efficient memory management for deep neural net inference", 2020.)
int64_t placeBuffers(llvm::MutableArrayRef<Buffer> buffers);

} // namespace lathe::passes
