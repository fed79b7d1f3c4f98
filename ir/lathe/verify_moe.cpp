// Labels: (Cn) of an op's description in moe_ops.td.
#include "ir/lathe/verify.h"

namespace lathe::ir {

using llvm::LogicalResult;
using mlir::failure;
using mlir::success;

namespace {

// Rules (C1) and (C4) of moe_route.
LogicalResult verifyRoutingFits(mlir::Operation *op, RoutingAttr routing, int64_t experts) {
  if (experts < routing.getTopK() || experts % routing.getNGroup() != 0)
    return op->emitOpError("routes to ")
           << experts << " experts; there should be at least top_k, which is " << routing.getTopK()
           << ", and a multiple of n_group, which is " << routing.getNGroup();
  return success();
}

LogicalResult verifyGroupsSuffice(mlir::Operation *op, RoutingAttr routing, int64_t experts) {
  const int64_t kept = experts / routing.getNGroup() * routing.getTopkGroup();
  if (kept < routing.getTopK())
    return op->emitOpError("keeps groups with ")
           << kept << " experts; there should be at least top_k, which is " << routing.getTopK();
  return success();
}

LogicalResult verifyBias(mlir::Operation *op, mlir::Value bias, int64_t experts) {
  if (bias && rowsOf(bias) != experts)
    return wrongCount(op, "bias", rowsOf(bias), "elements", experts, "there are experts");
  return success();
}

// [E, F, H], [E, F, H], [E, H, F].
LogicalResult verifyStacks(mlir::Operation *op, mlir::Value gate, mlir::Value up, mlir::Value down,
                           int64_t hidden) {
  if (gate.getType() != up.getType())
    return op->emitOpError("gate is a ")
           << gate.getType() << " and up a " << up.getType() << "; they should have one type";
  const llvm::ArrayRef<int64_t> outer = shapeOf(gate.getType()), inner = shapeOf(down.getType());
  if (outer.size() != 3 || outer[2] != hidden)
    return op->emitOpError("gate is ")
           << shapeText(outer) << "; it should be [E, F, " << hidden << "]";
  const int64_t wanted[] = {outer[0], outer[2], outer[1]};
  if (inner != llvm::ArrayRef<int64_t>(wanted))
    return op->emitOpError("down is ")
           << shapeText(inner) << "; it should be " << shapeText(wanted);
  return success();
}

LogicalResult verifyActivations(mlir::Operation *op, Activations activations,
                                mlir::ValueRange stacks) {
  const int64_t columns = blockColumnsOf(activations);
  if (columns == 0)
    return success();
  for (mlir::Value stack : stacks) {
    auto type = llvm::dyn_cast<QuantizedType>(stack.getType());
    if (!type)
      return op->emitOpError("activations are ")
             << stringifyActivations(activations) << " and a weight is a " << stack.getType()
             << "; it should be quantised";
    const int64_t block = blockColumnsWithin(type);
    if (block != columnsOf(type) && !blocksNest(block, columns))
      return op->emitOpError("blocks of a weight have ")
             << block << " columns and those of activations " << columns
             << "; one should be a multiple of the other";
  }
  return success();
}

} // namespace

LogicalResult MoeRouteOp::verify() {
  const int64_t experts = columnsOf(getLogits()), top_k = getRouting().getTopK();
  // moe_route_c1
  if (failed(verifyRoutingFits(*this, getRouting(), experts)))
    return failure();
  // moe_route_c2
  if (failed(verifyBias(*this, getBias(), experts)))
    return failure();
  // moe_route_c3
  for (mlir::Value result : {mlir::Value(getIndices()), mlir::Value(getWeights())})
    if (columnsOf(result) != top_k)
      return wrongCount(*this, "a result", columnsOf(result), "columns", top_k, "top_k says");
  if (failed(verifySameRows(*this, {getLogits(), getIndices(), getWeights()})))
    return failure();
  // moe_route_c4
  return verifyGroupsSuffice(*this, getRouting(), experts);
}

LogicalResult MoeDispatchOp::verify() {
  // moe_dispatch_c1
  if (failed(verifySameRows(*this, {getInput(), getIndices()})))
    return failure();
  // moe_dispatch_c2
  const int64_t pairs = timesRows(rowsOf(getIndices()), columnsOf(getIndices()));
  for (mlir::Value result : {mlir::Value(getRows()), mlir::Value(getOrder())})
    if (!agree(rowsOf(result), pairs))
      return wrongCount(*this, "a result", rowsOf(result), "rows", pairs,
                        "there are pairs of token and choice");
  if (columnsOf(getRows()) != columnsOf(getInput()))
    return wrongCount(*this, "rows", columnsOf(getRows()), "columns", columnsOf(getInput()),
                      "`input` has");
  // moe_dispatch_c3
  if (mlir::ShapedType::isDynamic(rowsOf(getOffsets())) || rowsOf(getOffsets()) < 2)
    return emitOpError("offsets has ")
           << extentText(rowsOf(getOffsets()))
           << " entries; it should have num_experts + 1, a constant of at least 2";
  return success();
}

LogicalResult ExpertFfnOp::verify() {
  // expert_ffn_c1
  if (failed(verifyStacks(*this, getGate(), getUp(), getDown(), columnsOf(getRows()))))
    return failure();
  // expert_ffn_c2
  const int64_t entries = rowsOf(getGate()) + 1;
  if (rowsOf(getOffsets()) != entries)
    return wrongCount(*this, "offsets", rowsOf(getOffsets()), "entries", entries,
                      "there is one more than experts");
  // expert_ffn_c3
  if (getResult().getType() != getRows().getType())
    return emitOpError("result is a ")
           << getResult().getType() << "; it should be the type of `rows`, " << getRows().getType();
  // expert_ffn_c4
  return verifyActivations(*this, getActivations(), {getGate(), getDown()});
}

LogicalResult MoeCombineOp::verify() {
  // moe_combine_c1
  const int64_t pairs = timesRows(rowsOf(getWeights()), columnsOf(getWeights()));
  for (mlir::Value operand : {mlir::Value(getRows()), mlir::Value(getOrder())})
    if (!agree(rowsOf(operand), pairs))
      return wrongCount(*this, "an operand", rowsOf(operand), "rows", pairs,
                        "`weights` has pairs of token and choice");
  // moe_combine_c2
  if (columnsOf(getResult()) != columnsOf(getRows()))
    return wrongCount(*this, "result", columnsOf(getResult()), "columns", columnsOf(getRows()),
                      "`rows` has");
  return verifySameRows(*this, {getWeights(), getResult()});
}

LogicalResult FusedExpertsOp::verify() {
  const int64_t experts = rowsOf(getRouter()), hidden = columnsOf(getInput());
  // fused_experts_c1
  if (columnsOf(getRouter()) != hidden)
    return wrongCount(*this, "router", columnsOf(getRouter()), "columns", hidden, "`input` has");
  if (failed(verifyBias(*this, getBias(), experts)) ||
      failed(verifyRoutingFits(*this, getRouting(), experts)) ||
      failed(verifyGroupsSuffice(*this, getRouting(), experts)))
    return failure();
  // fused_experts_c2
  if (failed(verifyStacks(*this, getGate(), getUp(), getDown(), hidden)))
    return failure();
  if (rowsOf(getGate()) != experts)
    return emitOpError("gate has ")
           << rowsOf(getGate()) << " experts; it should have " << experts << ", as router has rows";
  // fused_experts_c3
  if (getResult().getType() != getInput().getType())
    return emitOpError("result is a ")
           << getResult().getType() << "; it should be the type of `input`, "
           << getInput().getType();
  // fused_experts_c4
  return verifyActivations(*this, getActivations(), {getGate(), getDown()});
}

} // namespace lathe::ir
