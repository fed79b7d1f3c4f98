// Kernels over tiles, as ir/tile/ops.td defines them: a kernel at each point of a launch's
// grid.
#pragma once

#include "backends/reference/interpreter.h"
#include "ir/tile/dialect.h"

namespace lathe::reference {

// An error where rows disagree.
mlir::FailureOr<Values> evaluateLaunch(tile::LaunchOp launch, llvm::ArrayRef<Value> operands);

} // namespace lathe::reference
