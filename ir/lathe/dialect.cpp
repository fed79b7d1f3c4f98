#include "ir/lathe/dialect.h"

#include "ir/lathe/dialect.cpp.inc"

namespace lathe::ir {

void LatheDialect::initialize() {
  registerAttributes();
  registerTypes();
  registerOps();
  registerBytecode();
}

llvm::ArrayRef<int64_t> shapeOf(mlir::Type type) {
  if (auto quantized = llvm::dyn_cast<QuantizedType>(type))
    return quantized.getShape();
  return llvm::cast<mlir::ShapedType>(type).getShape();
}

mlir::Type elementTypeOf(mlir::Type type) {
  if (auto quantized = llvm::dyn_cast<QuantizedType>(type))
    return quantized.getElementType();
  return llvm::cast<mlir::ShapedType>(type).getElementType();
}

} // namespace lathe::ir
