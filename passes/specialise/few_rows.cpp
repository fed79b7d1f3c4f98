#include "passes/specialise/few_rows.h"

#include "passes/cost/mla.h"

namespace lathe::passes {

namespace {

constexpr double kClearGain = 0.5;

bool hasTwoForms(ir::MlaAttentionOp op) {
  return op.getKvB() && op.getForm() == ir::MlaForm::unspecified;
}

int64_t keysOf(ir::MlaAttentionOp op) {
  return std::min(cost::kExpectedContext, op.getCache().getType().getMaxContext());
}

// Of one layer for each shape that there is.
llvm::SmallVector<ir::MlaAttentionOp> distinct(mlir::func::FuncOp step) {
  llvm::SmallVector<ir::MlaAttentionOp> found;
  step.walk([&](ir::MlaAttentionOp op) {
    const bool is_known = llvm::any_of(found, [&](ir::MlaAttentionOp other) {
      return cost::MlaShape::of(op) == cost::MlaShape::of(other) && keysOf(op) == keysOf(other);
    });
    if (hasTwoForms(op) && !is_known)
      found.push_back(op);
  });
  return found;
}

double worstShare(llvm::ArrayRef<ir::MlaAttentionOp> ops, llvm::ArrayRef<cost::Table> tables,
                  int64_t rows) {
  double worst = 0;
  for (ir::MlaAttentionOp op : ops)
    worst = std::max(worst,
                     cost::absorbedShare(tables, cost::MlaShape::of(op), static_cast<double>(rows),
                                         static_cast<double>(keysOf(op))));
  return worst;
}

std::string whyText(int64_t keys) {
  return "as a power of two the most that the absorbed form takes at most half of the time of the "
         "materialised one for, over " +
         std::to_string(keys) + " keys";
}

} // namespace

std::optional<FewRows> chooseFewRows(mlir::func::FuncOp step, int64_t chunk,
                                     llvm::ArrayRef<cost::Table> tables) {
  const llvm::SmallVector<ir::MlaAttentionOp> ops = distinct(step);
  if (worstShare(ops, tables, chunk) <= 1)
    return std::nullopt;
  int64_t rows = 1;
  while (2 * rows < chunk && worstShare(ops, tables, 2 * rows) <= kClearGain)
    rows *= 2;
  if (rows == 1)
    return std::nullopt;
  return FewRows{rows,
                 {"lathe-specialise-steps", "few_rows", std::to_string(rows) + " rows",
                  whyText(keysOf(ops.front()))}};
}

} // namespace lathe::passes
