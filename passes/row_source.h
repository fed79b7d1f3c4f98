// How many rows a value has when a step runs, in terms of what the step is given.
#pragma once

#include <cstdint>

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace lathe::passes {

// `factor` times the step's rows, or times the rows whose logits are wanted.
struct RowSource {
  bool is_output_rows = false;
  int64_t factor = 1;
};

// Of a value whose first extent is open. The arguments of a step are known by their place (the
// fourth one lists output rows), those of other functions by what noteRowSource left.
RowSource rowSourceOf(mlir::Value value);
void noteRowSource(mlir::func::FuncOp function, unsigned argument, RowSource source);

} // namespace lathe::passes
