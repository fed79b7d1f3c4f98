#include "backends/x86/annotate.h"

#include "mlir/IR/Builders.h"

#include "backends/x86/kernels/frame.h"
#include "backends/x86/scratch.h"
#include "backends/x86/state_layout.h"

namespace lathe::x86 {

int64_t scalesOffset(int64_t rows, int64_t columns) { return roundUp(rows * columns * 4, 64); }

RowCount rowCountOf(mlir::Value value) {
  mlir::Operation *op = value.getDefiningOp();
  if (!op || mlir::isa<ir::EmbeddingOp, ir::RopeTableOp>(op))
    return {};
  if (mlir::isa<ir::SelectRowsOp>(op))
    return {RowSource::output_rows, 1};
  return rowCountOf(op->getOperand(0)); // every other op has the rows of its first operand
}

bool isReturnedLogits(mlir::Value value) {
  auto terminator = mlir::dyn_cast<mlir::func::ReturnOp>(value.getParentBlock()->getTerminator());
  return terminator && terminator.getNumOperands() > 0 && terminator.getOperand(0) == value;
}

static int64_t bytesOf(mlir::Value value, int64_t max_rows) {
  bool isRows = mlir::isa<mlir::RankedTensorType, ir::QuantizedType>(value.getType());
  if (!isRows || isReturnedLogits(value))
    return 0;
  int64_t columns = ir::shapeOf(value.getType()).back(), bytes = scalesOffset(max_rows, columns);
  if (auto type = mlir::dyn_cast<ir::QuantizedType>(value.getType()))
    bytes += max_rows * ceilDiv(columns, type.getBlockColumns()) * 4;
  return bytes;
}

static int64_t scratchOf(mlir::Operation *op, int64_t max_rows) {
  if (auto experts = mlir::dyn_cast<ir::FusedExpertsOp>(op))
    return expertScratch(experts, max_rows).bytes;
  if (auto attention = mlir::dyn_cast<ir::MlaAttentionOp>(op); attention && attention.getKvB())
    return materialisedScratch(attention, max_rows);
  return 0;
}

static void annotate(mlir::Operation *op, int64_t max_rows) {
  mlir::Builder builder(op->getContext());
  llvm::SmallVector<int64_t> bytes;
  bool hasNoMemory = mlir::isa<ir::WeightOp, ir::SliceOp>(op);
  for (mlir::Value result : op->getResults())
    bytes.push_back(hasNoMemory ? 0 : bytesOf(result, max_rows));
  if (!bytes.empty())
    op->setAttr("result_bytes", builder.getDenseI64ArrayAttr(bytes));
  if (int64_t scratch = scratchOf(op, max_rows))
    op->setAttr("scratch_bytes", builder.getI64IntegerAttr(scratch));
}

void annotateForPlanning(mlir::func::FuncOp step) {
  mlir::Builder builder(step.getContext());
  auto rows = step->getAttrOfType<mlir::IntegerAttr>("lathe.max_rows");
  for (mlir::Operation &op : step.getBody().front())
    annotate(&op, rows ? rows.getInt() : 1);
  for (mlir::BlockArgument argument : step.getArguments().drop_front(4))
    step.setArgAttr(argument.getArgNumber(), "lathe.cache_bytes",
                    builder.getI64IntegerAttr(cacheBytes(argument.getType())));
}

} // namespace lathe::x86
