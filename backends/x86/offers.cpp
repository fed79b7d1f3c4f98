#include "backends/x86/offers.h"

#include "mlir/IR/Builders.h"

#include "backends/x86/costs.h"
#include "passes/cost/op_seconds.h"
#include "passes/partition/offers.h"

namespace lathe::x86 {

void setOffers(mlir::ModuleOp module, const Level &level) {
  module->setAttr(passes::kHome, mlir::StringAttr::get(module.getContext(), kHomeName));
  const passes::cost::Table table = costsOf(*module.getContext(), level);
  for (auto [op, rows] : passes::placeableOps(module))
    passes::setOffer(op, kHomeName,
                     {true,
                      passes::cost::opSeconds(table, op, static_cast<double>(rows),
                                              passes::cost::kExpectedContext),
                      ""});
}

} // namespace lathe::x86
