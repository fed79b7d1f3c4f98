// One row reads more than it computes, so it should not expand keys; many rows share the expansion
// and then work on short heads. Where one becomes the other is a matter of costs, not of taste.
#include "passes/passes.h"

#include <array>

#include "ir/lathe/verify.h"
#include "passes/cost/mla.h"
#include "passes/cost/table.h"
#include "passes/cost/text.h"
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

// Alternatives in this order; of equal costs the first is taken.
constexpr std::array<MlaForm, 2> kForms = {MlaForm::absorbed, MlaForm::materialised};

struct Costs {
  int64_t rows, keys;
  cost::Work materialised, absorbed;
  llvm::ArrayRef<cost::Table> tables;
  llvm::SmallVector<llvm::SmallVector<double>> seconds; // [table][kForms]

  Costs(ir::MlaAttentionOp op, int64_t expected_context, llvm::ArrayRef<cost::Table> tables)
      : rows(rowsOf(op)), keys(std::min(expected_context, op.getCache().getType().getMaxContext())),
        tables(tables) {
    const cost::MlaShape shape = cost::MlaShape::of(op);
    materialised = cost::materialised(shape, rows, keys);
    absorbed = cost::absorbed(shape, rows, keys);
    for (const cost::Table &table : tables)
      seconds.push_back(llvm::map_to_vector(
          kForms, [&](MlaForm form) { return cost::seconds(table, shape, form, rows, keys); }));
  }

  const cost::Work &of(MlaForm form) const {
    return form == MlaForm::absorbed ? absorbed : materialised;
  }
  MlaForm cheaper() const {
    if (!tables.empty())
      return kForms[cost::leastRegret(seconds)];
    return absorbed.flops <= materialised.flops ? MlaForm::absorbed : MlaForm::materialised;
  }
  // On each target; where there is none, arithmetic stands for time.
  std::string text(MlaForm form) const {
    if (tables.empty())
      return cost::withPrefix(of(form).flops) + "FLOP";
    return cost::timesText(tables, llvm::map_to_vector(seconds, [&](const auto &times) {
                             return times[form == kForms[0] ? 0 : 1];
                           }));
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
          costs.text(form),
          {{stringifyMlaForm(other).str(), costs.text(other)}}};
}

struct ChooseMlaFormPass : impl::ChooseMlaFormBase<ChooseMlaFormPass> {
  using Base::Base;

  void runOnOperation() override {
    const auto tables = cost::tablesOf(getOperation()->getParentOfType<mlir::ModuleOp>());
    if (mlir::failed(verifyOptions()) || mlir::failed(tables))
      return signalPassFailure();
    getOperation().walk([&](ir::MlaAttentionOp op) {
      if (op.getForm() == MlaForm::unspecified && op.getKvB() && rowsOf(op) > 0)
        choose(op, *tables);
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

  void choose(ir::MlaAttentionOp op, llvm::ArrayRef<cost::Table> tables) {
    const Costs costs(
        op, expectedContext == 0 ? cost::kExpectedContext : expectedContext.getValue(), tables);
    const MlaForm chosen = form.empty() ? costs.cheaper() : *ir::symbolizeMlaForm(form);
    op.setForm(chosen);
    explain(op, decisionFor(chosen, !form.empty(), costs));
    ++(chosen == MlaForm::absorbed ? numAbsorbed : numMaterialised);
  }
};

} // namespace
} // namespace lathe::passes
