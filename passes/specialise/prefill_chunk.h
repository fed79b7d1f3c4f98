// How many rows a prefill step takes.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "passes/cost/table.h"
#include "passes/explain.h"

namespace lathe::passes {

struct PrefillChunk {
  int64_t rows;
  Decision decision;
};

// For a context of at most `most` tokens: `asked`, or by cost where that is 0. Rows of products
// will be in the form `activations`.
PrefillChunk choosePrefillChunk(mlir::func::FuncOp step, int64_t asked, int64_t most,
                                llvm::StringRef activations, llvm::ArrayRef<cost::Table> tables);

} // namespace lathe::passes
