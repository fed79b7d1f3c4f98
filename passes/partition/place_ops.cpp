// An op goes to another target where that saves more than moving its values there and back costs.
// With two sides that is the cheapest cut of a graph; with more targets, one cut after the other.
#include "passes/passes.h"

#include <algorithm>
#include <map>

#include "llvm/Support/DebugLog.h"

#include "ir/lathe/verify.h"
#include "passes/cost/table.h"
#include "passes/cost/text.h"
#include "passes/explain.h"
#include "passes/partition/cheapest_cut.h"
#include "passes/partition/offers.h"
#include "passes/partition/parts.h"
#include "passes/partition/place_rules.h"
#include "passes/rows.h"
#include "passes/step.h"

#define DEBUG_TYPE "lathe-place-ops"

namespace lathe::passes {

#define GEN_PASS_DEF_PLACEOPS
#include "passes/passes.h.inc"

namespace {

using mlir::Operation;
using mlir::func::FuncOp;

constexpr double kTick = 1e-10; // seconds of one unit of cost

int64_t ticks(double seconds) { return static_cast<int64_t>(std::min(seconds / kTick, 1e14)); }

// Weights go where they are used, slices are where their input is.
bool isMovable(Operation *op) {
  return !mlir::isa<ir::WeightOp, mlir::func::ReturnOp>(op) && mlir::isa<FuncOp>(op->getParentOp());
}

// How often a step runs in the conversation that is expected: half of it is read, half written.
double timesOf(FuncOp step) {
  return static_cast<double>(cost::kExpectedContext) / 2 / static_cast<double>(maxRows(step));
}

// Between targets rows are f32 or i32; what else they are inside is each target's own business.
bool canCross(mlir::Value value) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(value.getType());
  return tensor && (tensor.getElementType().isF32() || tensor.getElementType().isInteger(32));
}

// The cache argument that an op works on, by its number; none for other ops.
std::optional<unsigned> cacheOf(Operation *op) {
  for (mlir::Value operand : op->getOperands())
    if (isCache(operand.getType()))
      return cacheArgument(operand).getArgNumber();
  return std::nullopt;
}

// The graph of one target: near is home, far is the target.
class Cut {
public:
  Cut(llvm::StringRef home, llvm::StringRef target, const Transfer &transfer,
      llvm::ArrayRef<PlaceRule> rules)
      : home_(home), target_(target), transfer_(transfer), rules_(rules) {}

  void add(FuncOp step) {
    for (Operation &op : step.getBody().front())
      if (isMovable(&op))
        addOp(&op, timesOf(step));
    for (mlir::BlockArgument argument : step.getArguments())
      addValue(argument, step);
    for (Operation &op : step.getBody().front())
      for (mlir::Value result : op.getResults())
        addValue(result, step);
  }

  // Those that go to the target.
  llvm::SmallVector<Operation *> solve() {
    const std::vector<bool> far = graph_.farSide();
    llvm::SmallVector<Operation *> moved;
    for (auto [op, node] : nodes_)
      if (far[node] && !mlir::isa<ir::SliceOp>(op))
        moved.push_back(op);
    return moved;
  }

private:
  void addOp(Operation *op, double times) {
    const int64_t node = nodes_[op] = graph_.addNode();
    const std::optional<Offer> there = offerOf(op, target_), here = offerOf(op, home_);
    const PlaceRule *rule = ruleFor(op, rules_);
    const bool is_slice = mlir::isa<ir::SliceOp>(op); // a view, wherever its input is
    int64_t far = there && there->takes ? ticks(there->seconds * times) : CheapestCut::kNever;
    int64_t near = here ? ticks(here->seconds * times) : 0;
    if (is_slice)
      far = near = 0;
    else if (!placeOf(op).empty() || (rule && rule->target != target_))
      far = CheapestCut::kNever;
    else if (rule && far != CheapestCut::kNever)
      near = CheapestCut::kNever, far = 0;
    graph_.addCosts(node, far, near);
    if (std::optional<unsigned> cache = cacheOf(op))
      tie(node, *cache);
  }

  // All ops of a cache are on one side.
  void tie(int64_t node, unsigned cache) {
    auto [known, isNew] = caches_.try_emplace(cache, node);
    if (isNew)
      return;
    graph_.addEdge(node, known->second, CheapestCut::kNever);
    graph_.addEdge(known->second, node, CheapestCut::kNever);
  }

  // A value crosses once, however many ops on the other side take it.
  void addValue(mlir::Value value, FuncOp step) {
    if (!hasRows(value.getType()) || value.getDefiningOp<ir::WeightOp>())
      return;
    const double bytes = crossingBytes(value, maxRows(step));
    const double seconds =
        transfer_.seconds + (transfer_.bandwidth > 0 ? bytes / transfer_.bandwidth : 0);
    const int64_t cost = canCross(value) ? ticks(seconds * timesOf(step)) : CheapestCut::kNever;
    const int64_t giver = nodeOf(value.getDefiningOp());
    if (transfer_.each_op)
      return addCrossings(value, cost);
    const int64_t there = graph_.addNode(), back = graph_.addNode();
    graph_.addEdge(giver, there, cost);
    graph_.addEdge(back, giver, cost);
    for (Operation *user : value.getUsers()) {
      graph_.addEdge(there, nodeOf(user), CheapestCut::kNever);
      graph_.addEdge(nodeOf(user), back, CheapestCut::kNever);
    }
  }

  // To a target whose ops go alone: back from who gives the value, and there if anyone takes it.
  void addCrossings(mlir::Value value, int64_t cost) {
    if (nodes_.contains(value.getDefiningOp()))
      graph_.addCosts(nodeOf(value.getDefiningOp()), cost, 0);
    const int64_t there = graph_.addNode();
    graph_.addCosts(there, cost, 0);
    for (Operation *user : value.getUsers())
      graph_.addEdge(there, nodeOf(user), CheapestCut::kNever);
  }

  // What gives arguments and takes results is at home.
  int64_t nodeOf(Operation *op) {
    auto known = op ? nodes_.find(op) : nodes_.end();
    if (known != nodes_.end())
      return known->second;
    if (outside_ < 0) {
      outside_ = graph_.addNode();
      graph_.addCosts(outside_, CheapestCut::kNever, 0);
    }
    return outside_;
  }

  llvm::StringRef home_, target_;
  Transfer transfer_;
  llvm::ArrayRef<PlaceRule> rules_;
  CheapestCut graph_;
  llvm::MapVector<Operation *, int64_t> nodes_;
  std::map<unsigned, int64_t> caches_;
  int64_t outside_ = -1;
};

// Why an op is where it is, with what the other targets said.
Decision decisionFor(Operation *op, llvm::StringRef home, llvm::ArrayRef<std::string> targets,
                     llvm::ArrayRef<PlaceRule> rules) {
  const std::string place = placeOf(op).empty() ? home.str() : placeOf(op).str();
  const PlaceRule *rule = ruleFor(op, rules);
  Decision decision{DEBUG_TYPE, op->getName().stripDialect().str(), place,
                    "costs, transfers counted"};
  if (rule && rule->target == place)
    decision.why = "asked for by " + rule->pattern + "=" + rule->target;
  for (const std::string &target : targets) {
    const std::optional<Offer> offer = offerOf(op, target);
    std::string seconds = offer && offer->takes ? cost::timeText(offer->seconds) : "";
    if (offer && offer->takes && !offer->why.empty())
      seconds += ", " + offer->why;
    if (target == place)
      decision.cost = seconds;
    else if (offer && offer->takes)
      decision.alternatives.push_back({target, seconds});
    else if (offer)
      decision.alternatives.push_back({target, "refused, " + offer->why});
  }
  return decision;
}

struct PlaceOpsPass : impl::PlaceOpsBase<PlaceOpsPass> {
  using Base::Base;

  void runOnOperation() override {
    mlir::ModuleOp module = getOperation();
    const std::string home = homeOf(module);
    const auto transfers = transfersOf(module);
    const std::vector<std::string> targets = targetsOf(module);
    std::string error;
    const auto rules = parsePlaceRules(this->rules, targets, error);
    if (mlir::failed(rules)) {
      module.emitError(error);
      return signalPassFailure();
    }
    for (const auto &[target, transfer] : transfers)
      place(target, Cut(home, target, transfer, *rules));
    module.walk([&](Operation *op) {
      if (op->hasAttr(kOffers) && !transfers.empty())
        explain(op, decisionFor(op, home, targets, *rules));
    });
  }

  void place(llvm::StringRef target, Cut cut) {
    for (FuncOp step : getOperation().getOps<FuncOp>())
      cut.add(step);
    for (Operation *op : cut.solve()) {
      op->setAttr(kPlace, mlir::StringAttr::get(&getContext(), target));
      ++numPlaced;
    }
  }
};

} // namespace
} // namespace lathe::passes
