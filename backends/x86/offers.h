// What this backend, the home of placed models, takes for each op (passes/partition/offers.h).
#pragma once

#include "mlir/IR/BuiltinOps.h"

#include "backends/x86/level.h"

namespace lathe::x86 {

inline constexpr llvm::StringLiteral kHomeName = "x86"; // of all levels

// Makes it the home of `module` (optimised, not yet planned) and offers what `level` takes.
void setOffers(mlir::ModuleOp module, const Level &level);

} // namespace lathe::x86
