// Rows, the first extent of every activation, and how they come from the operands to the results.
#pragma once

#include "mlir/IR/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace lathe::passes {

// False for caches.
bool hasRows(mlir::Type type);

// Rows of `result`, which has rows: its type's, or else what follows from the operands', which
// `rowsOf` tells. Either may be dynamic.
int64_t rowsOfResult(mlir::OpResult result, llvm::function_ref<int64_t(mlir::Value)> rowsOf);

// Bytes of one row of f32 or i32, of a type that has rows.
double rowBytes(mlir::Type type);

// A type that has rows, with `rows` of them.
mlir::Type withRows(mlir::Type type, int64_t rows);

} // namespace lathe::passes
