// Products of one input become one op at the place of the first. They cannot depend on each other
// through their input, which they share; a computed weight or bias is the one way that is left.
#include "passes/passes.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

#include "passes/explain.h"
#include "passes/products.h"

#define DEBUG_TYPE "lathe-fuse-linear"

namespace lathe::passes {

#define GEN_PASS_DEF_FUSELINEAR
#include "passes/passes.h.inc"

namespace {

using mlir::Operation;

// What products must agree on: the input, and the number of biases, which is 0 or 1.
using Key = std::pair<mlir::Value, unsigned>;
using Groups = llvm::MapVector<Key, llvm::SmallVector<Product>>;

Operation *opOf(const Product &product) { return product.result.getDefiningOp(); }

// True if `value` is there when `op` runs, or can be: a reference to a weight needs nothing.
bool canStandBefore(mlir::Value value, Operation *op) {
  Operation *definition = value ? value.getDefiningOp() : nullptr;
  return !definition || mlir::isa<ir::WeightOp>(definition) ||
         (definition->getBlock() == op->getBlock() && definition->isBeforeInBlock(op));
}

void moveBefore(mlir::Value value, Operation *op) {
  Operation *definition = value ? value.getDefiningOp() : nullptr;
  if (definition && definition->getBlock() == op->getBlock() && !definition->isBeforeInBlock(op))
    definition->moveBefore(op);
}

// Products of a block by key; of each, those that can stand where the first one does.
Groups groupProducts(mlir::Block &block) {
  Groups groups;
  for (Operation &op : block) {
    const std::optional<Product> product = productOf(&op);
    if (!product)
      continue;
    llvm::SmallVector<Product> &group = groups[{product->x, product->bias ? 1 : 0}];
    Operation *first = group.empty() ? &op : opOf(group.front());
    if (canStandBefore(product->weight, first) && canStandBefore(product->bias, first))
      group.push_back(*product);
  }
  return groups;
}

mlir::Location locationOf(llvm::ArrayRef<Product> group) {
  llvm::SmallVector<mlir::Location> locations;
  for (const Product &product : group)
    locations.push_back(product.result.getLoc());
  return mlir::FusedLoc::get(group.front().result.getContext(), locations);
}

Decision decisionFor(llvm::ArrayRef<Product> group) {
  std::string names;
  for (const Product &product : group)
    names += (names.empty() ? "" : ", ") + nameOfWeight(product.weight);
  return {DEBUG_TYPE, "fused_linear", "fused",
          std::to_string(group.size()) + " products of one input: " + names};
}

void fuse(mlir::IRRewriter &rewriter, llvm::ArrayRef<Product> group) {
  Operation *first = opOf(group.front());
  for (const Product &product : group) {
    moveBefore(product.weight, first);
    moveBefore(product.bias, first);
  }
  rewriter.setInsertionPoint(first);
  explain(remake(rewriter, locationOf(group), group), decisionFor(group));
  for (const Product &product : group)
    rewriter.eraseOp(opOf(product));
}

struct FuseLinearPass : impl::FuseLinearBase<FuseLinearPass> {
  using Base::Base;

  void runOnOperation() override {
    mlir::IRRewriter rewriter(&getContext());
    for (mlir::Block &block : getOperation().getBody())
      for (const auto &[key, group] : groupProducts(block))
        if (group.size() > 1) {
          fuse(rewriter, group);
          numFused += group.size();
        }
  }
};

} // namespace
} // namespace lathe::passes
