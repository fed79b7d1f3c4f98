// How the pattern passes drive their patterns: each op that was there is offered once, top down,
// and nothing but the patterns changes the IR. Folding belongs to the canonical stage.
#pragma once

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lathe::passes {

inline mlir::GreedyRewriteConfig rewriteOnce() {
  return mlir::GreedyRewriteConfig()
      .setStrictness(mlir::GreedyRewriteStrictness::ExistingOps)
      .setRegionSimplificationLevel(mlir::GreedySimplifyRegionLevel::Disabled)
      .setUseTopDownTraversal()
      .enableFolding(false)
      .enableConstantCSE(false);
}

} // namespace lathe::passes
