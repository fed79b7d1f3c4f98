#include "ir/tile/dialect.h"

#include "mlir/IR/Builders.h"

#include "ir/tile/dialect.cpp.inc"
#define GET_OP_CLASSES
#include "ir/tile/ops.cpp.inc"

namespace lathe::tile {

void TileDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "ir/tile/ops.cpp.inc"
      >();
}

std::optional<Size> sizeOf(mlir::func::FuncOp function) {
  auto size = function->getAttrOfType<mlir::DenseI64ArrayAttr>(kSize);
  if (!size || size.size() != 2)
    return std::nullopt;
  return Size{size[0], size[1]};
}

mlir::func::FuncOp kernelOf(LaunchOp launch) {
  return mlir::SymbolTable::lookupNearestSymbolFrom<mlir::func::FuncOp>(launch,
                                                                        launch.getKernelAttr());
}

} // namespace lathe::tile
