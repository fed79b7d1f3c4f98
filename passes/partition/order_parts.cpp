// Each change of target is a wait and a transfer. A walk that goes on with the target at hand as
// long as any of its ops can run changes as seldom as one needs in a chain of layers.
#include "passes/passes.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/DebugLog.h"

#include "passes/cost/text.h"
#include "passes/explain.h"
#include "passes/partition/offers.h"
#include "passes/partition/parts.h"
#include "passes/step.h"

#define DEBUG_TYPE "lathe-order-parts"

namespace lathe::passes {

#define GEN_PASS_DEF_ORDERPARTS
#include "passes/passes.h.inc"

namespace {

using mlir::Operation;
using mlir::func::FuncOp;

// Weights and slices are no work of a target: they run as soon as they can.
bool isFree(Operation *op) { return mlir::isa<ir::WeightOp, ir::SliceOp>(op); }

class Walk {
public:
  explicit Walk(mlir::Block &block) {
    for (Operation &op : block.without_terminator()) {
      waiting_.push_back(&op);
      missing_[&op] = count(&op);
    }
  }

  // All ops, each after those whose results it takes; among those that can run the first one of
  // the target at hand.
  std::vector<Operation *> order() {
    std::vector<Operation *> done;
    llvm::StringRef target;
    while (!waiting_.empty()) {
      auto next = llvm::find_if(waiting_, [&](Operation *op) {
        return missing_[op] == 0 && (isFree(op) || placeOf(op) == target);
      });
      if (next == waiting_.end())
        next = llvm::find_if(waiting_, [&](Operation *op) { return missing_[op] == 0; });
      Operation *op = *next;
      if (!isFree(op))
        target = placeOf(op);
      waiting_.erase(next);
      release(op);
      done.push_back(op);
    }
    return done;
  }

private:
  static int64_t count(Operation *op) {
    return llvm::count_if(op->getOperands(),
                          [](mlir::Value operand) { return operand.getDefiningOp(); });
  }
  void release(Operation *op) {
    for (mlir::Value result : op->getResults())
      for (Operation *user : result.getUsers())
        --missing_[user];
  }

  std::vector<Operation *> waiting_; // in their old order
  llvm::DenseMap<Operation *, int64_t> missing_;
};

// A result that only ops of its own part take never leaves the target.
bool staysInside(mlir::Value result, int64_t part) {
  return llvm::all_of(result.getUsers(), [&](Operation *user) { return partOf(user) == part; });
}

double bytesOf(llvm::ArrayRef<mlir::Value> values, int64_t rows) {
  double bytes = 0;
  for (mlir::Value value : values)
    bytes += crossingBytes(value, rows);
  return bytes;
}

// How much goes over to each target and comes back in one step, for who wonders about its speed.
void explainParts(FuncOp step) {
  struct Traffic {
    int64_t parts = 0;
    double there = 0, back = 0;
  };
  const int64_t rows = maxRows(step);
  llvm::MapVector<llvm::StringRef, Traffic> traffic;
  const std::vector<Part> parts = partsOf(step);
  for (const Part &part : parts) {
    Traffic &mine = traffic[part.target];
    ++mine.parts;
    mine.there += bytesOf(part.inputs, rows);
    mine.back += bytesOf(part.results, rows);
  }
  for (const auto &[target, mine] : traffic)
    explain(step.getBody().front().getTerminator(),
            {DEBUG_TYPE, "parts", std::to_string(mine.parts) + " on " + target.str(),
             cost::withPrefix(mine.there) + "B go there and " + cost::withPrefix(mine.back) +
                 "B come back in a step of " + std::to_string(rows) +
                 (rows == 1 ? " row" : " rows")});
}

struct OrderPartsPass : impl::OrderPartsBase<OrderPartsPass> {
  using Base::Base;

  void runOnOperation() override {
    mlir::Block &block = getOperation().getBody().front();
    if (llvm::all_of(block, [](Operation &op) { return placeOf(&op).empty(); }))
      return;
    for (Operation *op : Walk(block).order())
      op->moveBefore(block.getTerminator());
    number(block);
    for (Operation &op : block)
      if (partOf(&op) >= 0)
        keepInside(op);
    explainParts(getOperation());
  }

  void number(mlir::Block &block) {
    mlir::Builder builder(&getContext());
    int64_t part = -1;
    llvm::StringRef target;
    const llvm::StringSet<> alone = targetsOfSingleOps();
    for (Operation &op : block.without_terminator()) {
      if (isFree(&op))
        continue;
      const bool begins = placeOf(&op) != target || alone.contains(placeOf(&op));
      if (begins && !placeOf(&op).empty())
        ++part, ++numParts;
      target = placeOf(&op);
      if (!target.empty())
        op.setAttr(kPart, builder.getI64IntegerAttr(part));
    }
    LDBG() << "@" << getOperation().getName() << ": " << part + 1 << " parts";
  }

  llvm::StringSet<> targetsOfSingleOps() {
    llvm::StringSet<> alone;
    for (const auto &[target, transfer] :
         transfersOf(getOperation()->getParentOfType<mlir::ModuleOp>()))
      if (transfer.each_op)
        alone.insert(target);
    return alone;
  }

  void keepInside(Operation &op) {
    llvm::SmallVector<int64_t> bytes;
    for (mlir::Value result : op.getResults())
      bytes.push_back(staysInside(result, partOf(&op)) ? 0 : -1);
    op.setAttr("result_bytes", mlir::Builder(&getContext()).getDenseI64ArrayAttr(bytes));
  }
};

} // namespace
} // namespace lathe::passes
