#include "frontend/tensor.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lathe::frontend {

int64_t elementCount(const Tensor &tensor) {
  int64_t count = 1;
  for (int64_t extent : tensor.shape)
    count *= extent;
  return count;
}

std::string shapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

} // namespace lathe::frontend
