// Folds router, moe_route, moe_dispatch, expert_ffn and moe_combine into fused_experts. Matching
// starts at the sum, from where every other op of the layer is found by its results.
#include "passes/passes.h"

#include "passes/explain.h"
#include "passes/rewrite_once.h"

#define DEBUG_TYPE "lathe-fuse-experts"

namespace lathe::passes {

#define GEN_PASS_DEF_FUSEEXPERTS
#include "passes/passes.h.inc"

namespace {

// The ops of a routed layer; null where the chain breaks off.
struct ExpertLayer {
  ir::ExpertFfnOp ffn;
  ir::MoeDispatchOp dispatch;
  ir::MoeRouteOp route;
  ir::LinearOp router;

  static ExpertLayer endingAt(ir::MoeCombineOp combine) {
    ExpertLayer layer;
    layer.ffn = combine.getRows().getDefiningOp<ir::ExpertFfnOp>();
    if (layer.ffn)
      layer.dispatch = layer.ffn.getRows().getDefiningOp<ir::MoeDispatchOp>();
    if (layer.dispatch)
      layer.route = layer.dispatch.getIndices().getDefiningOp<ir::MoeRouteOp>();
    if (layer.route)
      layer.router = layer.route.getLogits().getDefiningOp<ir::LinearOp>();
    return layer;
  }

  // That the ops found are wired as one layer.
  bool isWired(ir::MoeCombineOp combine) {
    return combine.getOrder() == dispatch.getOrder() &&
           combine.getWeights() == route.getWeights() && ffn.getOffsets() == dispatch.getOffsets();
  }
  bool hasNoOtherUsers() {
    const mlir::Value inner[] = {ffn.getResult(),       dispatch.getRows(), dispatch.getOrder(),
                                 dispatch.getOffsets(), route.getIndices(), route.getWeights(),
                                 router.getResult()};
    return llvm::all_of(inner, [](mlir::Value value) { return value.hasOneUse(); });
  }
};

class FuseExperts : public mlir::OpRewritePattern<ir::MoeCombineOp> {
public:
  FuseExperts(mlir::MLIRContext *context, mlir::Pass::Statistic &fused)
      : OpRewritePattern(context), fused_(fused) {}

  mlir::LogicalResult matchAndRewrite(ir::MoeCombineOp combine,
                                      mlir::PatternRewriter &rewriter) const override {
    ExpertLayer layer = ExpertLayer::endingAt(combine);
    if (!layer.router)
      return rewriter.notifyMatchFailure(combine, "the chain back to a router is broken");
    if (const char *reason = whyNot(layer, combine))
      return rewriter.notifyMatchFailure(combine, reason);
    explain(combine, {DEBUG_TYPE, "fused_experts", "fused",
                      "router, dispatch, experts and their sum have no other users"});
    rewriter.replaceOpWithNewOp<ir::FusedExpertsOp>(
        combine, combine.getType(), layer.dispatch.getInput(), layer.router.getWeight(),
        layer.ffn.getGate(), layer.ffn.getUp(), layer.ffn.getDown(), layer.route.getBias(),
        layer.route.getRouting(), layer.ffn.getActivations());
    ++fused_;
    return mlir::success();
  }

private:
  // The first reason against folding; null if there is none.
  static const char *whyNot(ExpertLayer &layer, ir::MoeCombineOp combine) {
    if (!layer.isWired(combine))
      return "order, offsets or weights are those of another layer";
    if (layer.router.getX() != layer.dispatch.getInput())
      return "the router sees other rows than the experts";
    if (layer.router.getBias())
      return "the router has a bias of its own";
    if (!layer.hasNoOtherUsers())
      return "a value inside has a second user";
    if (combine.getType() != layer.dispatch.getInput().getType())
      return "the sum has another type than the rows that go in";
    return nullptr;
  }

  mlir::Pass::Statistic &fused_;
};

struct FuseExpertsPass : impl::FuseExpertsBase<FuseExpertsPass> {
  using Base::Base;

  void runOnOperation() override {
    mlir::RewritePatternSet patterns(&getContext());
    patterns.add<FuseExperts>(&getContext(), numFused);
    if (failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns), rewriteOnce())))
      signalPassFailure();
  }
};

} // namespace
} // namespace lathe::passes
