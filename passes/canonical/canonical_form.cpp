// Equal things become one value. MLIR's folding, common subexpressions and dead code do most of it;
// what MLIR cannot know is that a weight's name says nothing about its content, and that two scales
// are one.
#include "passes/passes.h"

#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#define DEBUG_TYPE "lathe-canonical-form"

namespace lathe::passes {

#define GEN_PASS_DEF_CANONICALFORM
#include "passes/passes.h.inc"

namespace {

using mlir::func::FuncOp;

// All of a reference but its name.
using Content =
    std::tuple<mlir::Attribute, mlir::Attribute, mlir::Attribute, mlir::Type, mlir::Type>;

Content contentOf(ir::WeightOp op) {
  return {op.getSourcesAttr(), op.getScalesAttr(), op.getRowsAttr(), op.getTypeInCheckpoint(),
          op.getType()};
}

// Within a block, so that the first of equal weights stands before every use of the others.
int64_t mergeEqualWeights(mlir::Block &block) {
  llvm::DenseMap<Content, ir::WeightOp> firsts;
  int64_t merged = 0;
  for (ir::WeightOp op : llvm::make_early_inc_range(block.getOps<ir::WeightOp>())) {
    auto [first, is_new] = firsts.try_emplace(contentOf(op), op);
    if (is_new)
      continue;
    op.replaceAllUsesWith(first->second.getResult());
    op.erase();
    ++merged;
  }
  return merged;
}

class FoldScaleOfScale : public mlir::OpRewritePattern<ir::ScaleOp> {
public:
  FoldScaleOfScale(mlir::MLIRContext *context, mlir::Pass::Statistic &folded)
      : OpRewritePattern(context), folded_(folded) {}

  mlir::LogicalResult matchAndRewrite(ir::ScaleOp outer,
                                      mlir::PatternRewriter &rewriter) const override {
    auto inner = outer.getInput().getDefiningOp<ir::ScaleOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(outer, "the input is no scale");
    if (!inner->hasOneUse())
      return rewriter.notifyMatchFailure(outer, "the inner scale has a second user");
    const llvm::APFloat factor = outer.getFactor() * inner.getFactor();
    if (!factor.isFinite() || factor.isZero() || factor.isDenormal())
      return rewriter.notifyMatchFailure(outer, "the product of the factors is no usual f32");
    rewriter.replaceOpWithNewOp<ir::ScaleOp>(outer, outer.getType(), inner.getInput(), factor);
    ++folded_;
    return mlir::success();
  }

private:
  mlir::Pass::Statistic &folded_;
};

struct CanonicalFormPass : impl::CanonicalFormBase<CanonicalFormPass> {
  using Base::Base;

  void runOnOperation() override {
    for (mlir::Block &block : getOperation().getBody())
      numMerged += mergeEqualWeights(block);
    if (failed(fold()))
      return signalPassFailure();
    mlir::IRRewriter rewriter(&getContext());
    mlir::eliminateCommonSubExpressions(rewriter, getAnalysis<mlir::DominanceInfo>(),
                                        getOperation());
  }

  mlir::LogicalResult fold() {
    mlir::RewritePatternSet patterns(&getContext());
    patterns.add<FoldScaleOfScale>(&getContext(), numScalesFolded);
    return mlir::applyPatternsGreedily(getOperation(), std::move(patterns));
  }
};

} // namespace
} // namespace lathe::passes
