#include "passes/rows.h"

#include "llvm/ADT/TypeSwitch.h"

#include "ir/lathe/verify.h"
#include "ir/tile/dialect.h"

namespace lathe::passes {

using mlir::Operation;

bool hasRows(mlir::Type type) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  return (tensor && tensor.getRank() > 0) || mlir::isa<ir::QuantizedType>(type);
}

static bool hasOpenRows(mlir::Value value) {
  return hasRows(value.getType()) && mlir::ShapedType::isDynamic(ir::rowsOf(value));
}

int64_t rowsOfResult(mlir::OpResult result, llvm::function_ref<int64_t(mlir::Value)> rowsOf) {
  const int64_t own = ir::rowsOf(result);
  if (!mlir::ShapedType::isDynamic(own))
    return own;
  return llvm::TypeSwitch<Operation *, int64_t>(result.getOwner())
      .Case([&](ir::SelectRowsOp op) { return rowsOf(op.getRows()); })
      .Case([&](ir::MoeDispatchOp op) {
        return ir::timesRows(rowsOf(op.getIndices()), ir::columnsOf(op.getIndices()));
      })
      .Case([&](ir::MoeCombineOp op) { return rowsOf(op.getWeights()); })
      .Case([&](tile::LaunchOp op) { // all that its kernel takes with open rows has the same
        const auto open = llvm::find_if(op.getInputs(), hasOpenRows);
        return open == op.getInputs().end() ? own : rowsOf(*open);
      })
      .Default([&](Operation *op) { // every other op has the rows of its first operand
        const bool known = op->getNumOperands() > 0 && hasRows(op->getOperand(0).getType());
        return known ? rowsOf(op->getOperand(0)) : own;
      });
}

double rowBytes(mlir::Type type) {
  double bytes = 4;
  for (int64_t extent : ir::shapeOf(type).drop_front())
    bytes *= static_cast<double>(extent);
  return bytes;
}

mlir::Type withRows(mlir::Type type, int64_t rows) {
  llvm::SmallVector<int64_t> shape(ir::shapeOf(type));
  shape[0] = rows;
  if (auto quantized = mlir::dyn_cast<ir::QuantizedType>(type))
    return ir::QuantizedType::get(type.getContext(), shape, quantized.getElementType(),
                                  quantized.getBlockRows(), quantized.getBlockColumns(),
                                  quantized.getScaleType());
  return mlir::cast<mlir::RankedTensorType>(type).clone(shape);
}

} // namespace lathe::passes
