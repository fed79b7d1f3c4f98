#include "backends/x86/offers.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include "backends/x86/costs.h"
#include "ir/lathe/dialect.h"
#include "passes/cost/op_seconds.h"
#include "passes/partition/offers.h"

namespace lathe::x86 {

using passes::cost::kExpectedContext;

void setOffers(mlir::ModuleOp module, const Level &level) {
  module->setAttr(passes::kHome, mlir::StringAttr::get(module.getContext(), kHomeName));
  const passes::cost::Table table = costsOf(*module.getContext(), level);
  for (auto step : module.getOps<mlir::func::FuncOp>()) {
    auto max_rows = step->getAttrOfType<mlir::IntegerAttr>("lathe.max_rows");
    const double rows = max_rows ? static_cast<double>(max_rows.getInt()) : 1;
    for (mlir::Operation &op : step.getBody().front().without_terminator())
      if (!mlir::isa<ir::WeightOp, ir::SliceOp>(op))
        passes::setOffer(&op, kHomeName,
                         {true, passes::cost::opSeconds(table, &op, rows, kExpectedContext), ""});
  }
}

} // namespace lathe::x86
