#include "tests/conformance/case/tensor.h"

#include <functional>
#include <numeric>

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/APFloat.h"

#include "base/float_formats.h"

namespace lathe::conformance {
namespace {

uint64_t codeOf(mlir::Type element, float value) {
  if (element.isF32())
    return bitsOfF32(value);
  if (element.isBF16())
    return bf16FromF32(value);
  if (element.isF16())
    return f16FromF32(value);
  llvm::APFloat number(value);
  bool loses;
  number.convert(mlir::cast<mlir::FloatType>(element).getFloatSemantics(),
                 llvm::APFloat::rmNearestTiesToEven, &loses);
  return number.bitcastToAPInt().getZExtValue();
}

} // namespace

llvm::ArrayRef<uint8_t> Tensor::bytes() const {
  if (!bytes_.empty())
    return bytes_;
  const int64_t columns = shape_.back();
  const int64_t count =
      std::accumulate(shape_.begin(), shape_.end(), int64_t{1}, std::multiplies<>());
  const unsigned width = element_.getIntOrFloatBitWidth() / 8;
  bytes_.reserve(count * width);
  for (int64_t i = 0; i < count / columns; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      const uint64_t code = codeOf(element_, fill_(noise_, i, j));
      for (unsigned byte = 0; byte < width; ++byte)
        bytes_.push_back(static_cast<uint8_t>(code >> (8 * byte)));
    }
  return bytes_;
}

} // namespace lathe::conformance
