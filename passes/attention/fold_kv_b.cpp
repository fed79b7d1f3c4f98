// q . (W_UK l) = (W_UK^T q) . l, and sum_s p_s W_UV l_s = W_UV sum_s p_s l_s: both products of
// absorbed attention with kv_b stand outside of the sum over keys, so they can be ops of their own.
#include "passes/passes.h"

#include "ir/lathe/verify.h"
#include "passes/explain.h"
#include "passes/rewrite_once.h"

#define DEBUG_TYPE "lathe-fold-kv-b"

namespace lathe::passes {

#define GEN_PASS_DEF_FOLDKVB
#include "passes/passes.h.inc"

namespace {

using mlir::LogicalResult;
using mlir::PatternRewriter;
using mlir::Value;

class FoldKvB : public mlir::OpRewritePattern<ir::MlaAttentionOp> {
public:
  FoldKvB(mlir::MLIRContext *context, mlir::Pass::Statistic &folded)
      : OpRewritePattern(context), folded_(folded) {}

  LogicalResult matchAndRewrite(ir::MlaAttentionOp op, PatternRewriter &rewriter) const override {
    if (!op.getKvB())
      return rewriter.notifyMatchFailure(op, "kv_b is outside already");
    if (op.getForm() != ir::MlaForm::absorbed)
      return rewriter.notifyMatchFailure(op, "the form is not absorbed");
    explain(op, {DEBUG_TYPE, "mla_attention", "kv_b outside",
                 "the absorbed form multiplies by kv_b once a row, not once a key"});
    ir::MlaAttentionOp inner = insertInner(op, insertAbsorb(op, rewriter), rewriter);
    rewriter.replaceOp(op, {insertExpand(op, inner.getResult(), rewriter), inner.getUpdated()});
    ++folded_;
    return mlir::success();
  }

private:
  // f32 rows of `op` with other columns.
  static mlir::Type rows(ir::MlaAttentionOp op, int64_t columns) {
    return mlir::RankedTensorType::get({ir::rowsOf(op.getQuery()), columns},
                                       mlir::Float32Type::get(op.getContext()));
  }

  static Value insertAbsorb(ir::MlaAttentionOp op, PatternRewriter &rewriter) {
    const int64_t rank = op.getCache().getType().getKvLoraRank();
    return ir::AbsorbQueryOp::create(
        rewriter, op.getLoc(), rows(op, op.getNumHeads() * (rank + op.getQkRopeHeadDim())),
        op.getQuery(), op.getKvB(), op.getNumHeads(), op.getQkNopeHeadDim(), op.getQkRopeHeadDim(),
        op.getVHeadDim());
  }

  static ir::MlaAttentionOp insertInner(ir::MlaAttentionOp op, Value query,
                                        PatternRewriter &rewriter) {
    const int64_t rank = op.getCache().getType().getKvLoraRank();
    return ir::MlaAttentionOp::create(
        rewriter, op.getLoc(), rows(op, op.getNumHeads() * rank), op.getUpdated().getType(), query,
        op.getLatent(), op.getSlots(), op.getPositions(), op.getCache(), /*kv_b=*/Value(),
        op.getNumHeads(), op.getQkNopeHeadDim(), op.getQkRopeHeadDim(), op.getVHeadDim(),
        op.getSoftmaxScale(), ir::MlaForm::absorbed);
  }

  static Value insertExpand(ir::MlaAttentionOp op, Value latents, PatternRewriter &rewriter) {
    return ir::ExpandValueOp::create(rewriter, op.getLoc(), op.getResult().getType(), latents,
                                     op.getKvB(), op.getNumHeads(), op.getQkNopeHeadDim(),
                                     op.getQkRopeHeadDim(), op.getVHeadDim());
  }

  mlir::Pass::Statistic &folded_;
};

struct FoldKvBPass : impl::FoldKvBBase<FoldKvBPass> {
  using Base::Base;

  void runOnOperation() override {
    mlir::RewritePatternSet patterns(&getContext());
    patterns.add<FoldKvB>(&getContext(), numFolded);
    if (failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns), rewriteOnce())))
      signalPassFailure();
  }
};

} // namespace
} // namespace lathe::passes
