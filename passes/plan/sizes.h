// How much memory a step needs for what: what the backend said, or else what the types say.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "ir/lathe/dialect.h"
#include "passes/step.h"

namespace lathe::passes {

inline constexpr int64_t kAlignment = 64; // bytes; of every buffer and every cache

// Next multiple of kAlignment.
inline int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// The value in whose memory an op's one result is: the input of a slice, or the operand with the
// number `view_of`, whose op makes this op's result in its place. Null for all others.
mlir::Value viewedBy(mlir::Operation *op);

// Bytes of the arena that the parts of an op need.
struct OpBytes {
  llvm::SmallVector<int64_t> results; // one entry a result; 0: no memory of the arena
  int64_t scratch = 0;                // 0: none
};

// Sizes in one function, whose body is one block. `result_bytes` of an op counts where it is there
// and not -1.
// Otherwise a result needs `lathe.max_rows` x columns x 4 bytes (a constant number of rows counts
// as it is), and nothing if it is a weight, a view, a cache or returned.
class Sizes {
public:
  // Fails with a diagnostic where the function has several blocks or senseless attributes.
  static mlir::FailureOr<Sizes> of(mlir::func::FuncOp function);

  const OpBytes &operator[](mlir::Operation *op) const { return bytes_.find(op)->second; }

private:
  mlir::LogicalResult measure(mlir::Operation &op, int64_t max_rows);
  mlir::FailureOr<int64_t> resultBytes(mlir::OpResult result) const;

  llvm::DenseMap<mlir::Value, int64_t> rows_; // the most that a value can have
  llvm::DenseMap<mlir::Operation *, OpBytes> bytes_;
};

// `lathe.cache_bytes` of an argument that is a cache, or what its type says.
mlir::FailureOr<int64_t> cacheBytes(mlir::func::FuncOp function, unsigned argument);

// Of @decode, @few and @prefill those that the module has: they run on one state.
llvm::SmallVector<mlir::func::FuncOp> stepsOf(mlir::ModuleOp module);

} // namespace lathe::passes
