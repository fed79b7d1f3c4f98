// Says of each product of a step which kernel makes it, how it is cut, and what else it could cost.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "backends/x86/level.h"
#include "backends/x86/program.h"

namespace lathe::x86 {

// Records a decision for each distinct product kernel of `step` on `function` (passes/explain.h),
// under the level's name, at the rates of costs.json.
void explainProducts(mlir::func::FuncOp function, const Level &level, const Program &program,
                     const StepProgram &step);

} // namespace lathe::x86
