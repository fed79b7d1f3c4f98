#include "backends/x86/folded_ops.h"

#include "mlir/IR/Builders.h"

#include "backends/x86/annotate.h"
#include "passes/partition/offers.h"
#include "passes/plan/sizes.h"
#include "passes/step.h"

namespace lathe::x86 {

bool isRoundedForProducts(mlir::Value value) {
  auto cast = value.getDefiningOp<ir::CastOp>();
  return cast && cast.getResult().getType().getElementType().isBF16() &&
         llvm::all_of(
             value.getUsers(),
             llvm::IsaPred<ir::LinearOp, ir::ScaledMatmulOp, ir::FusedLinearOp, ir::GatedLinearOp>);
}

static constexpr llvm::StringLiteral kMayRound = "x86.may_round";

bool mayRound(mlir::Operation *attention) { return attention->hasAttr(kMayRound); }

static bool isAway(mlir::Operation *op) { return op->hasAttr(passes::kPart); }

// The kernel rounds its query itself.
static void takeRoundedQuery(mlir::Operation *op) {
  if (!mlir::isa<ir::AttentionOp, ir::MlaAttentionOp>(op))
    return;
  auto cast = op->getOperand(0).getDefiningOp<ir::CastOp>();
  if (!cast || isAway(op) || isAway(cast))
    return;
  op->setAttr(kMayRound, mlir::UnitAttr::get(op->getContext()));
  op->setOperand(0, cast.getInput());
  if (cast->use_empty())
    cast->erase();
}

// The one user of an op's result, if that is an Op; neither runs on another target.
template <typename Op> static Op onlyUser(mlir::Value value) {
  mlir::Operation *maker = value.getDefiningOp();
  if (!maker || !value.hasOneUse() || isAway(maker))
    return nullptr;
  auto user = mlir::dyn_cast<Op>(*value.user_begin());
  return user && !isAway(user) ? user : nullptr;
}

static void makeWhere(mlir::Operation *op, unsigned operand) {
  op->setAttr("view_of", mlir::Builder(op->getContext()).getI64IntegerAttr(operand));
}

// Kernels that store rows in any form, for several of them: 16 columns at a time from a multiple of
// 16 on. Pieces of a row, groups of a norm or heads, may begin anywhere. Sums of latents are no
// rows of products.
static bool storesRows(mlir::Operation *op) {
  if (auto norm = mlir::dyn_cast<ir::RmsNormOp>(op))
    return norm.getScale().getType().getDimSize(0) ==
           ir::shapeOf(norm.getResult().getType()).back();
  if (auto attention = mlir::dyn_cast<ir::AttentionOp>(op))
    return attention.getCache().getType().getValueDim() % 16 == 0;
  if (auto attention = mlir::dyn_cast<ir::MlaAttentionOp>(op))
    return attention.getKvB() && attention.getVHeadDim() % 16 == 0;
  return mlir::isa<ir::GatedLinearOp>(op);
}

static void roundWhereMade(ir::CastOp cast, int64_t max_rows) {
  if (max_rows > 1 && isRoundedForProducts(cast.getResult()) &&
      onlyUser<ir::CastOp>(cast.getInput()) && storesRows(cast.getInput().getDefiningOp()))
    makeWhere(cast, 0);
}

// A product adds what was there before it.
static bool canAdd(mlir::Operation *product, mlir::Value other) {
  if (!mlir::isa_and_present<ir::LinearOp, ir::ScaledMatmulOp, ir::FusedExpertsOp>(product) ||
      !onlyUser<ir::AddOp>(product->getResult(0)))
    return false;
  mlir::Operation *before = other.getDefiningOp();
  return before && !isAway(before) && !mlir::isa<ir::SliceOp>(before) &&
         before->isBeforeInBlock(product);
}

// x + (a + b), of products a and b, becomes (x + a) + b: then each adds what was there before it.
static void addInTurn(ir::AddOp outer) {
  for (mlir::Value sum : {outer.getRhs(), outer.getLhs()}) {
    auto inner = sum.getDefiningOp<ir::AddOp>();
    mlir::Value before = sum == outer.getRhs() ? outer.getLhs() : outer.getRhs();
    if (!inner || !onlyUser<ir::AddOp>(sum))
      continue;
    mlir::Value first = inner.getLhs(), second = inner.getRhs();
    if (canAdd(first.getDefiningOp(), second))
      std::swap(first, second);
    if (!canAdd(second.getDefiningOp(), first) || !canAdd(first.getDefiningOp(), before))
      continue;
    inner->setOperands({before, first});
    inner->moveAfter(first.getDefiningOp());
    outer->setOperands({sum, second});
    return;
  }
}

static void addWhereMade(ir::AddOp add) {
  mlir::Value lhs = add.getLhs(), rhs = add.getRhs();
  if (canAdd(rhs.getDefiningOp(), lhs))
    makeWhere(add, 1);
  else if (canAdd(lhs.getDefiningOp(), rhs))
    makeWhere(add, 0);
}

// Rotation changes some columns and leaves the others where they are.
static void rotateWhereMade(ir::RopeOp rope) {
  if (onlyUser<ir::RopeOp>(rope.getInput()) && !rope.getInput().getDefiningOp<ir::SliceOp>())
    makeWhere(rope, 0);
}

template <typename Op> static Op viewOf(mlir::Value value) {
  if (!value.hasOneUse())
    return nullptr;
  auto user = mlir::dyn_cast<Op>(*value.user_begin());
  return user && passes::viewedBy(user) == value ? user : nullptr;
}

mlir::Value storedAs(mlir::Value value) {
  auto cast = viewOf<ir::CastOp>(value);
  return cast ? cast.getResult() : value;
}

mlir::Value addedWhereMade(mlir::Value value) {
  auto add = viewOf<ir::AddOp>(value);
  return !add ? mlir::Value() : add.getLhs() == value ? add.getRhs() : add.getLhs();
}

static void orderOperands(mlir::Operation &op) {
  takeRoundedQuery(&op);
  if (auto add = mlir::dyn_cast<ir::AddOp>(op))
    addInTurn(add);
}

static void foldIntoMaker(mlir::Operation &op, int64_t max_rows) {
  if (op.getNumResults() == 1 && isReturnedLogits(op.getResult(0)))
    return; // it has a place of its own
  if (auto cast = mlir::dyn_cast<ir::CastOp>(op))
    roundWhereMade(cast, max_rows);
  else if (auto add = mlir::dyn_cast<ir::AddOp>(op))
    addWhereMade(add);
  else if (auto rope = mlir::dyn_cast<ir::RopeOp>(op))
    rotateWhereMade(rope);
}

void foldOps(mlir::func::FuncOp step) {
  for (mlir::Operation &op : llvm::make_early_inc_range(step.getBody().front()))
    orderOperands(op);
  for (mlir::Operation &op : step.getBody().front())
    foldIntoMaker(op, passes::maxRows(step));
}

} // namespace lathe::x86
