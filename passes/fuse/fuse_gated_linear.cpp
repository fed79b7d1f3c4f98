// Folds swiglu(x gate^T, x up^T) into gated_linear. Matching starts at the swiglu, which is what
// tells gate from up.
#include "passes/passes.h"

#include "passes/explain.h"
#include "passes/products.h"
#include "passes/rewrite_once.h"

#define DEBUG_TYPE "lathe-fuse-gated-linear"

namespace lathe::passes {

#define GEN_PASS_DEF_FUSEGATEDLINEAR
#include "passes/passes.h.inc"

namespace {

class FuseGatedLinear : public mlir::OpRewritePattern<ir::SwigluOp> {
public:
  FuseGatedLinear(mlir::MLIRContext *context, mlir::Pass::Statistic &fused)
      : OpRewritePattern(context), fused_(fused) {}

  mlir::LogicalResult matchAndRewrite(ir::SwigluOp swiglu,
                                      mlir::PatternRewriter &rewriter) const override {
    const std::optional<Product> gate = productOf(swiglu.getGate().getDefiningOp()),
                                 up = productOf(swiglu.getUp().getDefiningOp());
    if (!gate || !up)
      return rewriter.notifyMatchFailure(swiglu, "a side is no product");
    if (const char *reason = whyNot(*gate, *up))
      return rewriter.notifyMatchFailure(swiglu, reason);
    explain(swiglu, {DEBUG_TYPE, "gated_linear", "fused",
                     "two products of one input: " + nameOfWeight(gate->weight) + ", " +
                         nameOfWeight(up->weight)});
    rewriter.replaceOpWithNewOp<ir::GatedLinearOp>(swiglu, swiglu.getType(), gate->x, gate->weight,
                                                   up->weight, gate->bias, up->bias);
    ++fused_;
    return mlir::success();
  }

private:
  // The first reason against folding; null if there is none.
  static const char *whyNot(const Product &gate, const Product &up) {
    if (!gate.result.hasOneUse() || !up.result.hasOneUse())
      return "a product has a second user";
    if (gate.x != up.x)
      return "the products have different inputs";
    if (gate.weight.getType() != up.weight.getType())
      return "the weights have different types";
    if (!gate.bias != !up.bias)
      return "one product has a bias and the other has none";
    return nullptr;
  }

  mlir::Pass::Statistic &fused_;
};

struct FuseGatedLinearPass : impl::FuseGatedLinearBase<FuseGatedLinearPass> {
  using Base::Base;

  void runOnOperation() override {
    mlir::RewritePatternSet patterns(&getContext());
    patterns.add<FuseGatedLinear>(&getContext(), numFused);
    if (failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns), rewriteOnce())))
      signalPassFailure();
  }
};

} // namespace
} // namespace lathe::passes
