// Says to the planning passes what memory each op and each cache needs on this backend.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "ir/lathe/dialect.h"

namespace lathe::x86 {

// Sets `result_bytes` (where it is more than rows x columns x 4) and `scratch_bytes`, both of the
// arena, on the ops of a step and `lathe.cache_bytes` on its cache arguments. What `lathe.max_rows`
// of the step says is obeyed. Before that it folds ops (folded_ops.h), whose results need no
// memory.
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

// The first result of the step's terminator: it goes to the caller's memory, not to the arena.
bool isReturnedLogits(mlir::Value value);

} // namespace lathe::x86
