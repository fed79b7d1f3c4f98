// Ops without code of their own: the kernel behind a cast, or the one before a cast or an addition,
// does both. And ops that work in place.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "ir/lathe/dialect.h"

namespace lathe::x86 {

// Finds them in a step. Casts and additions that are made where their operand is get `view_of`, the
// operand's number. Attention that may round takes its query as it was, since the kernel rounds it;
// of `x + (a + b)` with products a and b each adds where it is made, as `(x + a) + b`. A rotation
// gets `view_of`, too, and has code: it turns columns of its operand where they are.
// Both ops of a pair run here, not on another target.
void foldOps(mlir::func::FuncOp step);

// Whether what attention multiplies may be rounded to bf16.
bool mayRound(mlir::Operation *attention);

// What is stored of `value`, an op's result: itself, or the cast of it.
mlir::Value storedAs(mlir::Value value);
// What is added to `value` where it is made; null without.
mlir::Value addedWhereMade(mlir::Value value);

// Whether a value is rounded to bf16 and read by products alone.
bool isRoundedForProducts(mlir::Value value);

} // namespace lathe::x86
