// Launches are visited in order, so a chain of kernels ends up in its last one. Nothing is computed
// twice: both kernels have one grid, and the tensor between them one user.
#include "passes/passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

#include "ir/tile/dialect.h"

#define DEBUG_TYPE "lathe-fuse-tiles"

namespace lathe::passes {

#define GEN_PASS_DEF_FUSETILES
#include "passes/passes.h.inc"

namespace {

using mlir::func::FuncOp;
using tile::LaunchOp;

// How often each kernel is launched.
llvm::DenseMap<FuncOp, int> countLaunches(mlir::ModuleOp module) {
  llvm::DenseMap<FuncOp, int> counts;
  module.walk([&](LaunchOp launch) { ++counts[tile::kernelOf(launch)]; });
  return counts;
}

// A launch, and the kernel that it alone runs.
struct Run {
  LaunchOp launch;
  FuncOp kernel;

  int64_t columns() { return launch.getType().getShape()[1]; }
};

bool haveOneGrid(Run first, Run second) {
  return tile::sizeOf(first.kernel) == tile::sizeOf(second.kernel) &&
         first.launch.getType().getShape() == second.launch.getType().getShape();
}

// True if all that uses `tensor` are loads of the point's tile.
bool isLoadedTileByTile(mlir::BlockArgument tensor) {
  return llvm::all_of(tensor.getUsers(), [](mlir::Operation *user) {
    auto load = mlir::dyn_cast<tile::LoadOp>(user);
    return load && !load.getStrip() && load.getOffset() == 0;
  });
}

// A load gives zeros beyond the end, the tile in its place does not.
bool sumsBeyondTheEnd(Run run) {
  return run.columns() % tile::sizeOf(run.kernel)->columns != 0 &&
         !run.kernel.front().getOps<tile::SumOp>().empty();
}

bool canFuse(Run first, Run second, unsigned input) {
  return first.launch.getResult().hasOneUse() && haveOneGrid(first, second) &&
         isLoadedTileByTile(second.kernel.getArgument(input)) && !sumsBeyondTheEnd(second);
}

// The ops of `first`, at the beginning of `second`, which then takes what `first` took, too. What
// `first` returned.
mlir::Value moveBody(Run first, Run second) {
  mlir::Block &body = second.kernel.front();
  mlir::IRMapping map;
  for (auto [inside, outside] : llvm::zip(first.kernel.getArguments(), first.launch.getInputs())) {
    second.launch.getInputsMutable().append(outside);
    map.map(inside, body.addArgument(inside.getType(), inside.getLoc()));
  }
  mlir::OpBuilder builder = mlir::OpBuilder::atBlockBegin(&body);
  for (mlir::Operation &op : first.kernel.front().without_terminator())
    builder.clone(op, map);
  return map.lookup(first.kernel.front().getTerminator()->getOperand(0));
}

void fuse(mlir::RewriterBase &rewriter, Run first, Run second, unsigned input) {
  mlir::Value made = moveBody(first, second);
  mlir::Block &body = second.kernel.front();
  for (mlir::Operation *load : llvm::make_early_inc_range(body.getArgument(input).getUsers()))
    rewriter.replaceOp(load, made);
  body.eraseArgument(input);
  second.kernel.setType(
      rewriter.getFunctionType(body.getArgumentTypes(), second.kernel.getResultTypes()));
  second.launch.getInputsMutable().erase(input);
  second.launch->setLoc(rewriter.getFusedLoc({first.launch.getLoc(), second.launch.getLoc()}));
  rewriter.eraseOp(first.launch);
  rewriter.eraseOp(first.kernel);
}

struct FuseTilesPass : impl::FuseTilesBase<FuseTilesPass> {
  using Base::Base;

  void runOnOperation() override {
    counts_ = countLaunches(getOperation());
    llvm::SmallVector<LaunchOp> launches;
    getOperation().walk([&](LaunchOp launch) { launches.push_back(launch); });
    for (LaunchOp launch : launches)
      fuseInto(launch);
  }

private:
  // None of a launch whose kernel has others.
  std::optional<Run> ownRun(LaunchOp launch) {
    FuncOp kernel = launch ? tile::kernelOf(launch) : FuncOp();
    return kernel && counts_[kernel] == 1 ? std::optional(Run{launch, kernel}) : std::nullopt;
  }

  void fuseInto(LaunchOp launch) {
    std::optional<Run> second = ownRun(launch);
    mlir::IRRewriter rewriter(&getContext());
    for (unsigned i = 0; second && i < launch.getInputs().size();) {
      std::optional<Run> first = ownRun(launch.getInputs()[i].getDefiningOp<LaunchOp>());
      if (!first || !canFuse(*first, *second, i)) {
        ++i;
        continue;
      }
      fuse(rewriter, *first, *second, i);
      ++numFused;
    }
  }

  llvm::DenseMap<FuncOp, int> counts_;
};

} // namespace
} // namespace lathe::passes
