#include "ir/lathe/dialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

#include "ir/lathe/interfaces.cpp.inc"
#define GET_OP_CLASSES
#include "ir/lathe/ops.cpp.inc"

namespace lathe::ir {

void LatheDialect::registerOps() {
  addOperations<
#define GET_OP_LIST
#include "ir/lathe/ops.cpp.inc"
      >();
}

mlir::OpFoldResult ScaleOp::fold(FoldAdaptor) {
  return getFactor().convertToFloat() == 1.0f ? getInput() : mlir::OpFoldResult();
}

} // namespace lathe::ir
