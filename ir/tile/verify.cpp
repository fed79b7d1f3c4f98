// Labels: tile_OP_cN is (CN) of tile.OP's description in ops.td.
#include <cmath>

#include "ir/lathe/verify.h"
#include "ir/tile/dialect.h"

namespace lathe::tile {

using llvm::LogicalResult;
using mlir::failure;
using mlir::success;
using mlir::func::FuncOp;

namespace {

// An op that needs to know it stands in a kernel.
mlir::FailureOr<Size> sizeAround(mlir::Operation *op) {
  auto function = mlir::dyn_cast<FuncOp>(op->getParentOp());
  std::optional<Size> size = function ? sizeOf(function) : std::nullopt;
  if (!size)
    return op->emitOpError("stands in no kernel, a function with tile.size = [rows, columns]");
  return *size;
}

// What an op gives has to be [rows, columns] of that element.
LogicalResult verifyTile(mlir::Operation *op, mlir::Value tile, int64_t rows, int64_t columns,
                         mlir::Type element) {
  auto wanted = mlir::RankedTensorType::get({rows, columns}, element);
  if (tile.getType() == wanted)
    return success();
  return op->emitOpError("has a tile that is a ")
         << tile.getType() << "; it should be a " << wanted;
}

mlir::Type f32(mlir::Operation *op) { return mlir::Float32Type::get(op->getContext()); }

template <typename Op> LogicalResult verifyBroadcast(Op op) {
  llvm::ArrayRef<int64_t> lhs = op.getLhs().getType().getShape(),
                          rhs = op.getRhs().getType().getShape();
  for (int i = 0; i < 2; ++i)
    if (rhs[i] != lhs[i] && rhs[i] != 1)
      return op.emitOpError("rhs is ")
             << ir::shapeText(rhs) << "; each extent should be 1 or as of " << ir::shapeText(lhs);
  return success();
}

// Loads take what the kernel is given, all others what ops before them made.
LogicalResult verifyOperands(mlir::Operation &op) {
  if (!mlir::isa<TileDialect>(op.getDialect()) || mlir::isa<LaunchOp>(op))
    return op.emitOpError("stands in a kernel, which has ops on tiles only");
  const bool is_load = mlir::isa<LoadOp, LoadRowOp, LoadWeightOp>(op);
  for (mlir::Value operand : op.getOperands())
    if (mlir::isa<mlir::BlockArgument>(operand) != is_load)
      return op.emitOpError("takes ")
             << (is_load ? "a tile; it should take an argument of the kernel"
                         : "an argument of the kernel; it should take a tile");
  return success();
}

LogicalResult verifyKernel(FuncOp kernel) {
  std::optional<Size> size = sizeOf(kernel);
  if (!size || size->rows < 1 || size->columns < 1)
    return kernel.emitError("tile.size should be [rows, columns], at least 1 x 1");
  auto tile = kernel.getNumResults() == 1
                  ? mlir::dyn_cast<mlir::RankedTensorType>(kernel.getResultTypes()[0])
                  : mlir::RankedTensorType();
  if (!tile || tile.getShape() != llvm::ArrayRef<int64_t>{size->rows, size->columns})
    return kernel.emitError("is a kernel that should return one tile of ")
           << size->rows << " x " << size->columns;
  if (!kernel.getBody().hasOneBlock())
    return kernel.emitError("is a kernel that should have one block");
  for (mlir::Operation &op : kernel.front())
    if (!mlir::isa<mlir::func::ReturnOp>(op) && failed(verifyOperands(op)))
      return failure();
  return success();
}

} // namespace

LogicalResult TileDialect::verifyOperationAttribute(mlir::Operation *op,
                                                    mlir::NamedAttribute attribute) {
  auto function = mlir::dyn_cast<FuncOp>(op);
  if (!function || attribute.getName() != kSize)
    return op->emitError("has ") << attribute.getName() << ", which has no meaning here";
  return verifyKernel(function);
}

LogicalResult LaunchOp::verifySymbolUses(mlir::SymbolTableCollection &symbols) {
  // tile_launch_c1
  auto kernel = symbols.lookupNearestSymbolFrom<FuncOp>(*this, getKernelAttr());
  if (!kernel || !sizeOf(kernel))
    return emitOpError("names ") << getKernelAttr() << ", which is no kernel of the module";
  if (kernel.getArgumentTypes() != getInputs().getTypes())
    return emitOpError("gives the kernel ")
           << getKernelAttr() << " what is not of its arguments' types";
  // tile_launch_c2
  mlir::Type element = ir::elementTypeOf(kernel.getResultTypes()[0]);
  if (element != getType().getElementType())
    return emitOpError("has a result of ")
           << getType().getElementType() << "; its kernel makes tiles of " << element;
  return success();
}

LogicalResult LoadOp::verify() {
  mlir::FailureOr<Size> size = sizeAround(*this);
  if (failed(size))
    return failure();
  const int64_t columns = getStrip() ? getType().getShape()[1] : size->columns;
  // tile_load_c1
  if (failed(verifyTile(*this, getResult(), size->rows, columns,
                        getInput().getType().getElementType())))
    return failure();
  // tile_load_c2
  const int64_t offset = getOffset(), all = ir::columnsOf(getInput());
  if (offset < 0 || offset > all || (getStrip() && columns > all - offset))
    return emitOpError("begins at column ")
           << offset << " and takes " << columns << " of " << all << " columns";
  return success();
}

LogicalResult LoadRowOp::verify() {
  mlir::FailureOr<Size> size = sizeAround(*this);
  if (failed(size))
    return failure();
  // tile_load_row_c1
  const int64_t columns = getWhole() ? ir::rowsOf(getInput()) : size->columns;
  return verifyTile(*this, getResult(), 1, columns, f32(*this));
}

LogicalResult LoadWeightOp::verify() {
  mlir::FailureOr<Size> size = sizeAround(*this);
  if (failed(size))
    return failure();
  // tile_load_weight_c1
  mlir::Type type = getWeight().getType();
  const bool is_codes = mlir::isa<ir::QuantizedType>(type);
  return verifyTile(*this, getResult(), size->columns, ir::columnsOf(type),
                    is_codes ? f32(*this) : ir::elementTypeOf(type));
}

LogicalResult MatmulOp::verify() {
  // tile_matmul_c1
  if (ir::columnsOf(getX()) != ir::columnsOf(getWeight()))
    return ir::wrongCount(*this, "x", ir::columnsOf(getX()), "columns", ir::columnsOf(getWeight()),
                          "the weight has");
  return verifyTile(*this, getResult(), ir::rowsOf(getX()), ir::rowsOf(getWeight()), f32(*this));
}

// tile_add_c1, tile_mul_c1
LogicalResult AddOp::verify() { return verifyBroadcast(*this); }
LogicalResult MulOp::verify() { return verifyBroadcast(*this); }

LogicalResult ScaleOp::verify() {
  // tile_scale_c1
  if (!getFactor().isFinite() || !getSummand().isFinite())
    return emitOpError("has a factor or a summand that is not finite");
  return success();
}

LogicalResult SumOp::verify() {
  // tile_sum_c1
  return verifyTile(*this, getResult(), ir::rowsOf(getInput()), 1, f32(*this));
}

LogicalResult ConvertOp::verify() {
  // tile_convert_c1
  return verifyTile(*this, getResult(), ir::rowsOf(getInput()), ir::columnsOf(getInput()),
                    getType().getElementType());
}

} // namespace lathe::tile
