// Caches stand in the state in the order of the arguments. The layout follows from the sizes alone,
// so that all steps, which have the same caches, get the same one.
#include "passes/passes.h"

#include "llvm/Support/DebugLog.h"

#include "passes/plan/sizes.h"

#define DEBUG_TYPE "lathe-plan-state"

namespace lathe::passes {

#define GEN_PASS_DEF_PLANSTATE
#include "passes/passes.h.inc"

namespace {

using mlir::LogicalResult;
using mlir::func::FuncOp;

constexpr int64_t kMaxState = int64_t{1} << 56; // bytes; no sum of caches below overflows

struct PlanStatePass : impl::PlanStateBase<PlanStatePass> {
  using Base::Base;

  void runOnOperation() override {
    for (FuncOp function : getOperation().getOps<FuncOp>())
      if (mlir::failed(place(function)))
        return signalPassFailure();
    llvm::SmallVector<FuncOp> steps = stepsOf(getOperation());
    for (FuncOp step : steps)
      if (mlir::failed(verifyAlike(steps.front(), step)))
        return signalPassFailure();
  }

  LogicalResult place(FuncOp function) {
    mlir::Builder builder(&getContext());
    int64_t end = 0;
    for (auto [index, type] : llvm::enumerate(function.getArgumentTypes())) {
      if (!isCache(type))
        continue;
      const mlir::FailureOr<int64_t> bytes = cacheBytes(function, index);
      if (mlir::failed(bytes))
        return mlir::failure();
      function.setArgAttr(index, "lathe.state_offset", builder.getI64IntegerAttr(end));
      end += aligned(*bytes);
      if (end > kMaxState)
        return function.emitError("the caches need more than ") << kMaxState << " bytes";
      ++numPlaced;
    }
    LDBG() << "@" << function.getName() << " has a state of " << end << " bytes";
    function->setAttr("lathe.state_bytes", builder.getI64IntegerAttr(end));
    return mlir::success();
  }

  LogicalResult verifyAlike(FuncOp first, FuncOp other) {
    const unsigned count = std::max(first.getNumArguments(), other.getNumArguments());
    for (unsigned i = 0; i < count; ++i)
      if (stateOffset(first, i) != stateOffset(other, i))
        return other.emitError("the cache of argument ")
               << i << " is not where @" << first.getName()
               << " has it; all steps should have the same caches";
    if (first->getAttr("lathe.state_bytes") != other->getAttr("lathe.state_bytes"))
      return other.emitError("has a state of another size than @")
             << first.getName() << "; all steps should have the same caches";
    return mlir::success();
  }

  static mlir::Attribute stateOffset(FuncOp function, unsigned argument) {
    return argument < function.getNumArguments()
               ? function.getArgAttr(argument, "lathe.state_offset")
               : mlir::Attribute();
  }
};

} // namespace
} // namespace lathe::passes
