// A create function and an options struct for each pass of the .td files.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include "ir/lathe/dialect.h"
#include "ir/tile/dialect.h"

namespace lathe::passes {

#define GEN_PASS_DECL
#include "passes/passes.h.inc"

} // namespace lathe::passes
