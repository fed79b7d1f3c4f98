// One row reads more than it computes, so it should not expand keys; many rows share the expansion
// and then work on short heads. Where one becomes the other is a matter of costs, not of taste.
#include "passes/passes.h"

#include "ir/lathe/verify.h"
#include "passes/cost/mla.h"
#include "passes/cost/table.h"
#include "passes/explain.h"

#define DEBUG_TYPE "lathe-choose-mla-form"

namespace lathe::passes {

#define GEN_PASS_DEF_CHOOSEMLAFORM
#include "passes/passes.h.inc"

namespace {

using ir::MlaForm;

// Rows of a step: a constant of the types, or the most that the function says; 0 if neither.
int64_t rowsOf(ir::MlaAttentionOp op) {
  const int64_t rows = ir::rowsOf(op.getQuery());
  if (!mlir::ShapedType::isDynamic(rows))
    return rows;
  auto most =
      op->getParentOfType<mlir::func::FuncOp>()->getAttrOfType<mlir::IntegerAttr>("lathe.max_rows");
  return most ? most.getInt() : 0;
}

MlaForm otherForm(MlaForm form) {
  return form == MlaForm::absorbed ? MlaForm::materialised : MlaForm::absorbed;
}

struct Costs {
  int64_t rows, keys;
  cost::Work materialised, absorbed;

  Costs(ir::MlaAttentionOp op, int64_t expected_context)
      : rows(rowsOf(op)), keys(std::min(expected_context, op.getCache().getType().getMaxContext())),
        materialised(cost::materialised(cost::MlaShape::of(op), rows, keys)),
        absorbed(cost::absorbed(cost::MlaShape::of(op), rows, keys)) {}

  const cost::Work &of(MlaForm form) const {
    return form == MlaForm::absorbed ? absorbed : materialised;
  }
  MlaForm cheaper() const {
    return absorbed.seconds() <= materialised.seconds() ? MlaForm::absorbed : MlaForm::materialised;
  }
  std::string comparison(MlaForm form) const {
    return std::to_string(rows) + (rows == 1 ? " row sees " : " rows see ") + std::to_string(keys) +
           " keys: " + cost::workText(of(form)) + " against " + cost::workText(of(otherForm(form)));
  }
};

Decision decisionFor(MlaForm form, bool is_forced, const Costs &costs) {
  const MlaForm other = otherForm(form);
  return {DEBUG_TYPE,
          "mla_attention",
          stringifyMlaForm(form).str(),
          (is_forced ? "asked for; " : "") + costs.comparison(form),
          cost::timeText(costs.of(form).seconds()),
          {{stringifyMlaForm(other).str(), cost::timeText(costs.of(other).seconds())}}};
}

struct ChooseMlaFormPass : impl::ChooseMlaFormBase<ChooseMlaFormPass> {
  using Base::Base;

  void runOnOperation() override {
    if (mlir::failed(verifyOptions()))
      return signalPassFailure();
    getOperation().walk([&](ir::MlaAttentionOp op) {
      if (op.getForm() == MlaForm::unspecified && op.getKvB() && rowsOf(op) > 0)
        choose(op);
    });
  }

  mlir::LogicalResult verifyOptions() {
    if (!form.empty() && form != "materialised" && form != "absorbed")
      return getOperation().emitError("form is '")
             << form << "'; it should be materialised or absorbed";
    if (expectedContext < 0)
      return getOperation().emitError("expected-context is ")
             << expectedContext.getValue() << "; it should be at least 1, or 0 for "
             << cost::kExpectedContext;
    return mlir::success();
  }

  void choose(ir::MlaAttentionOp op) {
    const Costs costs(op,
                      expectedContext == 0 ? cost::kExpectedContext : expectedContext.getValue());
    const MlaForm chosen = form.empty() ? costs.cheaper() : *ir::symbolizeMlaForm(form);
    op.setForm(chosen);
    explain(op, decisionFor(chosen, !form.empty(), costs));
    ++(chosen == MlaForm::absorbed ? numAbsorbed : numMaterialised);
  }
};

} // namespace
} // namespace lathe::passes
