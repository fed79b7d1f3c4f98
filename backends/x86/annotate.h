// Says to the planning passes what memory each op and each cache needs on this backend.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "ir/lathe/dialect.h"

namespace lathe::x86 {

// Sets `result_bytes` (where it is more than rows x columns x 4) and `scratch_bytes`, both of the
// arena, on the ops of a step and `lathe.cache_bytes` on its cache arguments. What `lathe.max_rows`
// of the step says is obeyed. A pass of placement and not of meaning, but for one thing: attention
// that may round takes its query as it was, since the kernel rounds it.
void annotateForPlanning(mlir::func::FuncOp step);

// Codes have their scales behind them, from this offset on, where there is room for codes as f32
// (select/selector.h says which are).
int64_t scalesOffset(int64_t rows, int64_t columns);

// Of which count a value's rows are a multiple.
struct RowCount {
  int64_t source = 1; // RowSource::rows
  int64_t factor = 1;
};
RowCount rowCountOf(mlir::Value value);

// Whether what attention multiplies may be rounded to bf16, as annotateForPlanning left it.
bool mayRound(mlir::Operation *attention);

// Some ops are made where their operand is (`view_of` says which): the op that makes the operand
// does both. What is stored of `value`, an op's result: itself, or the cast of it.
mlir::Value storedAs(mlir::Value value);
// What is added to `value` where it is made; null without.
mlir::Value addedWhereMade(mlir::Value value);

// Whether a value is rounded to bf16 and read by products alone.
bool isRoundedForProducts(mlir::Value value);

// The first result of the step's terminator: it goes to the caller's memory, not to the arena.
bool isReturnedLogits(mlir::Value value);

} // namespace lathe::x86
