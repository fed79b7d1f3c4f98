// Each op becomes its kernels at its place, one after the other; what kernels.cpp does not know
// stays.
#include "passes/passes.h"

#include "passes/tiles/kernels.h"

#define DEBUG_TYPE "lathe-lower-to-tiles"

namespace lathe::passes {

#define GEN_PASS_DEF_LOWERTOTILES
#include "passes/passes.h.inc"

namespace {

// Last first: a slice of a slice loses its user before its turn comes.
void eraseUnusedSlices(mlir::Block &block) {
  for (mlir::Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (mlir::isa<ir::SliceOp>(op) && op.use_empty())
      op.erase();
}

struct LowerToTilesPass : impl::LowerToTilesBase<LowerToTilesPass> {
  using Base::Base;

  void runOnOperation() override {
    if (rows < 1 || columns < 1) {
      getOperation().emitError("tiles of ")
          << rows.getValue() << " x " << columns.getValue() << "; they should be at least 1 x 1";
      return signalPassFailure();
    }
    mlir::SymbolTable symbols(getOperation());
    // Kernels come behind them while they are walked.
    for (auto function : llvm::to_vector(getOperation().getOps<mlir::func::FuncOp>()))
      lower(function.front(), symbols);
  }

private:
  void lower(mlir::Block &block, mlir::SymbolTable &symbols) {
    mlir::IRRewriter rewriter(&getContext());
    for (mlir::Operation &op : llvm::make_early_inc_range(block)) {
      if (!hasFormInTiles(&op))
        continue;
      lowerToTiles(rewriter, symbols, &op, {rows, columns});
      ++numLowered;
    }
    eraseUnusedSlices(block);
  }
};

} // namespace
} // namespace lathe::passes
