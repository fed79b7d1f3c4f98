// What a plugin's target says of each op, written down for placement (passes/partition/offers.h).
#pragma once

#include "absl/status/status.h"
#include "mlir/IR/BuiltinOps.h"

#include "backends/plugin/program_view.h"
#include "backends/plugin/target.h"

namespace lathe::plugin {

// Asks about every op of `module` that is shown in `view`. An error of the plugin's, with the op.
absl::Status setOffers(mlir::ModuleOp module, const ProgramView &view, const Target &target);

} // namespace lathe::plugin
