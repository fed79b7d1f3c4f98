// Plays a function op by op over a map of who owns which bytes: results and scratch take theirs,
// and every operand must still own its own. Lifetimes, which the planner reasons with, do not
// occur.
#include "passes/passes.h"

#include <map>

#include "llvm/Support/DebugLog.h"

#include "passes/plan/sizes.h"

#define DEBUG_TYPE "lathe-verify-plan"

namespace lathe::passes {

#define GEN_PASS_DEF_VERIFYPLAN
#include "passes/passes.h.inc"

namespace {

using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;
using mlir::func::FuncOp;

// Bytes [begin, end) and who wrote them last: a value or, for scratch, an op.
struct Claim {
  int64_t begin, end;
  const void *owner;

  bool operator==(const Claim &other) const {
    return begin == other.begin && end == other.end && owner == other.owner;
  }
};

class Memory {
public:
  void write(const Claim &claim) {
    auto it = claims_.lower_bound(claim.begin);
    if (it != claims_.begin() && std::prev(it)->second.end > claim.begin)
      --it;
    while (it != claims_.end() && it->first < claim.end)
      it = claims_.erase(it);
    claims_[claim.begin] = claim;
  }
  bool holds(const Claim &claim) const {
    auto it = claims_.find(claim.begin);
    return it != claims_.end() && it->second == claim;
  }

private:
  std::map<int64_t, Claim> claims_; // by first byte; no two overlap
};

mlir::Value behindViews(mlir::Value value) {
  while (Operation *op = value.getDefiningOp()) {
    mlir::Value viewed = viewedBy(op);
    if (!viewed)
      break;
    value = viewed;
  }
  return value;
}

class Player {
public:
  Player(const Sizes &sizes, int64_t arena_bytes) : sizes_(sizes), arena_bytes_(arena_bytes) {}

  LogicalResult play(Operation &op) {
    if (failed(writeResults(op)) || failed(writeScratch(op)))
      return failure();
    for (mlir::Value operand : op.getOperands())
      if (failed(read(op, behindViews(operand))))
        return failure();
    for (mlir::Value result : op.getResults())
      if (failed(read(op, result)))
        return failure();
    return success();
  }

  int64_t reads() const { return reads_; }

private:
  LogicalResult writeResults(Operation &op) {
    const llvm::ArrayRef<int64_t> bytes = sizes_[&op].results;
    if (llvm::all_of(bytes, [](int64_t size) { return size == 0; }))
      return success();
    auto offsets = op.getAttrOfType<mlir::DenseI64ArrayAttr>("arena_offsets");
    if (!offsets || static_cast<size_t>(offsets.size()) != bytes.size())
      return op.emitOpError(
          "has no arena_offsets with one entry a result; lathe-plan-buffers sets them");
    for (auto [result, offset, size] : llvm::zip(op.getResults(), offsets.asArrayRef(), bytes))
      if (size > 0 &&
          failed(write(op, result, {offset, offset + size, result.getAsOpaquePointer()})))
        return failure();
    return success();
  }

  LogicalResult writeScratch(Operation &op) {
    const int64_t size = sizes_[&op].scratch;
    if (size == 0)
      return success();
    auto offset = op.getAttrOfType<mlir::IntegerAttr>("scratch_offset");
    if (!offset)
      return op.emitOpError("has no scratch_offset; lathe-plan-buffers sets it");
    return write(op, {}, {offset.getInt(), offset.getInt() + size, &op});
  }

  LogicalResult write(Operation &op, mlir::Value value, const Claim &claim) {
    if (claim.begin < 0 || claim.begin % kAlignment != 0 || claim.end > arena_bytes_)
      return op.emitOpError("has bytes ") << claim.begin << " to " << claim.end
                                          << " of the arena; they should begin at a multiple of "
                                          << kAlignment << " and end within its " << arena_bytes_;
    memory_.write(claim);
    if (value)
      places_[value] = claim;
    return success();
  }

  LogicalResult read(Operation &op, mlir::Value value) {
    auto place = places_.find(value);
    if (place == places_.end())
      return success(); // not in the arena
    ++reads_;
    if (memory_.holds(place->second))
      return success();
    return op.emitOpError("needs bytes ") << place->second.begin << " to " << place->second.end
                                          << " of the arena, which something has written over";
  }

  const Sizes &sizes_;
  int64_t arena_bytes_, reads_ = 0;
  Memory memory_;
  llvm::DenseMap<mlir::Value, Claim> places_;
};

// The places of the caches of a function, by argument.
mlir::FailureOr<std::map<unsigned, Claim>> cachePlaces(FuncOp function) {
  std::map<unsigned, Claim> places;
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes())) {
    if (!isCache(type))
      continue;
    const mlir::FailureOr<int64_t> bytes = cacheBytes(function, index);
    auto offset = function.getArgAttrOfType<mlir::IntegerAttr>(index, "lathe.state_offset");
    if (failed(bytes))
      return failure();
    if (!offset)
      return function.emitError("the cache of argument ")
             << index << " has no lathe.state_offset; lathe-plan-state sets it";
    places[index] = {offset.getInt(), offset.getInt() + *bytes, nullptr};
  }
  return places;
}

bool overlap(const Claim &a, const Claim &b) { return a.begin < b.end && b.begin < a.end; }

LogicalResult verifyState(FuncOp function, const std::map<unsigned, Claim> &places) {
  auto state = function->getAttrOfType<mlir::IntegerAttr>("lathe.state_bytes");
  for (const auto &[index, place] : places) {
    if (!state || place.begin < 0 || place.begin % kAlignment != 0 || place.end > state.getInt())
      return function.emitError("the cache of argument ")
             << index << " has bytes " << place.begin << " to " << place.end
             << " of the state; they should begin at a multiple of " << kAlignment
             << " and end within lathe.state_bytes";
    for (const auto &[other, otherPlace] : places)
      if (other < index && overlap(place, otherPlace))
        return function.emitError("the caches of arguments ")
               << other << " and " << index << " overlap in the state";
  }
  return success();
}

struct VerifyPlanPass : impl::VerifyPlanBase<VerifyPlanPass> {
  using Base::Base;

  void runOnOperation() override {
    for (FuncOp function : getOperation().getOps<FuncOp>())
      if (failed(verifyArena(function)) || failed(verifyCaches(function)))
        return signalPassFailure();
    if (failed(verifySharedState()))
      signalPassFailure();
  }

  LogicalResult verifyArena(FuncOp function) {
    const mlir::FailureOr<Sizes> sizes = Sizes::of(function);
    if (failed(sizes))
      return failure();
    auto bytes = function->getAttrOfType<mlir::IntegerAttr>("lathe.arena_bytes");
    Player player(*sizes, bytes ? bytes.getInt() : 0);
    for (Operation &op : function.getBody().front())
      if (failed(player.play(op)))
        return failure();
    LDBG() << "@" << function.getName() << ": " << player.reads() << " reads";
    numChecked += player.reads();
    return success();
  }

  static LogicalResult verifyCaches(FuncOp function) {
    const auto places = cachePlaces(function);
    return failed(places) ? failure() : verifyState(function, *places);
  }

  LogicalResult verifySharedState() {
    llvm::SmallVector<FuncOp> steps = stepsOf(getOperation());
    if (steps.empty())
      return success();
    const auto first = cachePlaces(steps.front());
    if (failed(first))
      return failure();
    for (FuncOp step : llvm::drop_begin(steps)) {
      const auto places = cachePlaces(step);
      if (failed(places))
        return failure();
      if (*first != *places)
        return step.emitError("has its caches elsewhere than @")
               << steps.front().getName() << "; all run on one state";
    }
    return success();
  }
};

} // namespace
} // namespace lathe::passes
