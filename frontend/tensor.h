// A stored tensor: where its bytes are, and what they mean. Nothing is copied.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "frontend/dtype.h"

namespace lathe::frontend {

struct Tensor {
  std::string name;
  DType dtype = DType::f32;
  // Row-major extents. Empty for a scalar; an extent may be 0.
  std::vector<int64_t> shape;
  // Mapped, little-endian, size = elements * bytesPerElement. Valid as long as the file object (or
  // the Checkpoint) it came from. Alignment is not promised: read elements with memcpy.
  absl::Span<const uint8_t> bytes;
  // Path of the file it stands in; owned by the file object.
  absl::string_view file;
  // Of the first byte, from the start of that file.
  uint64_t offset = 0;
};

// The number of elements; it fits, because readers check the product.
int64_t elementCount(const Tensor &tensor);

// "[2, 3]"
std::string shapeText(absl::Span<const int64_t> shape);

} // namespace lathe::frontend
