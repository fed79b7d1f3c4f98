// For targets that multiply floats only: codes become floats where they enter an op, which then is
// what it would have been with a weight of floats.
#include "passes/passes.h"

#include "mlir/IR/PatternMatch.h"

#include "ir/lathe/verify.h"
#include "passes/explain.h"
#include "passes/products.h"

#define DEBUG_TYPE "lathe-legalise-fp8"

namespace lathe::passes {

#define GEN_PASS_DEF_LEGALISEFP8
#include "passes/passes.h.inc"

namespace {

using mlir::Operation;

bool isQuantized(mlir::Value value) { return mlir::isa<ir::QuantizedType>(value.getType()); }

// Ops that read weights of codes and would mean the same with floats.
bool takesFloatsAsWell(Operation &op) {
  if (auto ffn = mlir::dyn_cast<ir::ExpertFfnOp>(op))
    return ir::blockColumnsOf(ffn.getActivations()) == 0;
  if (auto experts = mlir::dyn_cast<ir::FusedExpertsOp>(op))
    return ir::blockColumnsOf(experts.getActivations()) == 0;
  return mlir::isa<ir::ScaledMatmulOp, ir::FusedLinearOp, ir::GatedLinearOp, ir::MlaAttentionOp,
                   ir::AbsorbQueryOp, ir::ExpandValueOp>(op) &&
         !isQuantized(op.getOperand(0));
}

struct LegaliseFp8Pass : impl::LegaliseFp8Base<LegaliseFp8Pass> {
  using Base::Base;

  void runOnOperation() override {
    if (targetsFp8 != "native" && targetsFp8 != "none") {
      getOperation().emitError("targets-fp8 is '")
          << targetsFp8 << "'; it should be native or none";
      return signalPassFailure();
    }
    floats_.clear();
    if (targetsFp8 == "none")
      for (mlir::Block &block : getOperation().getBody())
        for (Operation &op : llvm::make_early_inc_range(block))
          if (takesFloatsAsWell(op) && llvm::any_of(op.getOperands(), isQuantized))
            legalise(op);
  }

  void legalise(Operation &op) {
    Operation *legal = mlir::isa<ir::ScaledMatmulOp>(op) ? linearFor(op) : withFloats(op);
    explain(legal, {DEBUG_TYPE, legal->getName().stripDialect().str(), "floats",
                    "a target has no kernels for codes"});
  }

  Operation *linearFor(Operation &op) {
    Product product = *productOf(&op);
    product.weight = floatsOf(product.weight);
    mlir::IRRewriter rewriter(&op);
    Operation *linear = remake(rewriter, op.getLoc(), product);
    rewriter.eraseOp(&op);
    return linear;
  }

  // All other ops take floats and codes alike.
  Operation *withFloats(Operation &op) {
    for (mlir::OpOperand &operand : op.getOpOperands())
      if (isQuantized(operand.get()))
        operand.set(floatsOf(operand.get()));
    return &op;
  }

  // Dequantised once, beside the definition, so that every user may have it.
  mlir::Value floatsOf(mlir::Value codes) {
    mlir::Value &floats = floats_[codes];
    if (floats)
      return floats;
    mlir::OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(codes);
    auto type = mlir::RankedTensorType::get(ir::shapeOf(codes.getType()), builder.getF32Type());
    floats = ir::DequantizeOp::create(builder, codes.getLoc(), type, codes);
    ++numDequantized;
    return floats;
  }

private:
  llvm::DenseMap<mlir::Value, mlir::Value> floats_;
};

} // namespace
} // namespace lathe::passes
