#include "backends/x86/annotate.h"

#include "mlir/IR/Builders.h"

#include "backends/x86/folded_ops.h"
#include "backends/x86/scratch.h"
#include "backends/x86/state_layout.h"
#include "passes/plan/sizes.h"
#include "passes/step.h"

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

// What the planner takes for f32 rows holds for all others.
static int64_t codesAndScalesBytes(ir::QuantizedType type, int64_t max_rows) {
  int64_t columns = type.getShape().back();
  return scalesOffset(max_rows, columns) + max_rows * ceilDiv(columns, type.getBlockColumns()) * 4;
}

static int64_t scratchOf(mlir::Operation *op, int64_t max_rows) {
  if (auto experts = mlir::dyn_cast<ir::FusedExpertsOp>(op))
    return expertScratch(experts, max_rows).bytes;
  if (auto attention = mlir::dyn_cast<ir::MlaAttentionOp>(op))
    return attentionScratch(attention, max_rows);
  if (auto attention = mlir::dyn_cast<ir::AttentionOp>(op))
    return attentionScratch(attention, max_rows);
  return 0;
}

// Of an op's first result, where it may be more than rows x columns x 4; else 0.
static int64_t resultBytes(mlir::Operation *op, int64_t max_rows) {
  if (op->getNumResults() == 0 || passes::viewedBy(op))
    return 0;
  if (auto quantize = mlir::dyn_cast<ir::QuantizeOp>(op))
    return codesAndScalesBytes(quantize.getResult().getType(), max_rows);
  mlir::Value stored = storedAs(op->getResult(0));
  return max_rows > 1 && isRoundedForProducts(stored)
             ? narrowRowsBytes(max_rows, ir::shapeOf(stored.getType()).back())
             : 0;
}

static void annotate(mlir::Operation *op, int64_t max_rows) {
  mlir::Builder builder(op->getContext());
  if (int64_t bytes = resultBytes(op, max_rows)) {
    llvm::SmallVector<int64_t> all(op->getNumResults(), -1);
    all[0] = bytes;
    op->setAttr("result_bytes", builder.getDenseI64ArrayAttr(all));
  }
  if (int64_t scratch = scratchOf(op, max_rows))
    op->setAttr("scratch_bytes", builder.getI64IntegerAttr(scratch));
}

void annotateForPlanning(mlir::func::FuncOp step) {
  mlir::Builder builder(step.getContext());
  foldOps(step);
  for (mlir::Operation &op : step.getBody().front())
    annotate(&op, passes::maxRows(step));
  for (mlir::BlockArgument argument : step.getArguments().drop_front(4))
    step.setArgAttr(argument.getArgNumber(), "lathe.cache_bytes",
                    builder.getI64IntegerAttr(cacheBytes(argument.getType())));
}

} // namespace lathe::x86
