// From a program to a module of MLIR's LLVM dialect.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "backends/x86/program.h"

namespace lathe::x86 {

// The module defines `lathe_cpu_executable` (runtime/abi/cpu_executable.h) with an entry for each
// step. Each distinct kernel use becomes one task: a function that calls the kernel with its
// constants, which the optimiser then inlines. The order of the regions is a table of integers that
// lathe_x86_run walks. The kernels stay undefined: object.h links them.
mlir::OwningOpRef<mlir::ModuleOp> emitProgram(mlir::MLIRContext &context, const Program &program);

} // namespace lathe::x86
