// What computing costs on each feature level: the numbers of costs.json, which
// tools/measure_costs.py writes, in the form in which passes take them (passes/cost/table.h).
#pragma once

#include "mlir/IR/BuiltinOps.h"

#include "backends/x86/level.h"
#include "passes/cost/table.h"

namespace lathe::x86 {

// Sets `lathe.costs` of the module to those of `levels`. A level that was never measured costs what
// the one below it costs.
void setCosts(mlir::ModuleOp module, llvm::ArrayRef<const Level *> levels);

// Of one level.
passes::cost::Table costsOf(mlir::MLIRContext &context, const Level &level);

} // namespace lathe::x86
