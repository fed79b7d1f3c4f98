#include "backends/plugin/offers.h"

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "passes/cost/table.h"
#include "passes/partition/offers.h"

namespace lathe::plugin {

absl::Status setOffers(mlir::ModuleOp module, const ProgramView &view, const Target &target) {
  passes::setTransfer(module, target.name, {target.transfer_bandwidth, target.transfer_seconds});
  for (auto [op, rows] : passes::placeableOps(module)) {
    auto answer = ask(target, *view.op(op), rows, passes::cost::kExpectedContext);
    if (!answer.ok())
      return prefixed(answer.status(), absl::StrCat(target.name, ": asked about ",
                                                    op->getName().getStringRef().str(), ": "));
    passes::setOffer(op, target.name, {answer->takes(), answer->cost(), answer->why()});
  }
  return absl::OkStatus();
}

} // namespace lathe::plugin
