// What ops compute, in FLOPs: a multiplication and an addition are two.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "ir/lathe/dialect.h"

namespace lathe::passes::cost {

// A matrix, or a stack of matrices, and the rows that each of them multiplies: a mean where rows
// choose. 2 * codes * rows FLOPs.
struct WeightWork {
  mlir::Type weight;
  double rows;
};

// Of every product with weights that `op` makes, fused or not; `rowsOf` tells the rows of a value.
// A fold multiplies by its part of kv_b only, which counts as fewer rows. None for mla_attention:
// mla.h has its forms.
llvm::SmallVector<WeightWork> weightWork(mlir::Operation *op,
                                         llvm::function_ref<double(mlir::Value)> rowsOf);

// What attention computes for one row and one key that the row sees.
struct KeyWork {
  double flops = 0;
  int64_t window = 0; // keys that a row sees at most; 0: all

  bool operator==(const KeyWork &) const = default;
};

// 2 Hq (dk + dv).
KeyWork keyWork(ir::AttentionOp op);
// Absorbed: 2 H (2 c + r). Materialised for one row: 2 H c (n + v) more than 2 H (n + r + v).
KeyWork keyWork(ir::MlaAttentionOp op);

// What one row of a step of one row computes: for all weights, whatever it sees, and for each key
// of the cache that is argument `cache`; nothing where no attention uses it.
double weightFlops(mlir::func::FuncOp decode);
KeyWork keyWork(mlir::func::FuncOp decode, unsigned cache);

} // namespace lathe::passes::cost
