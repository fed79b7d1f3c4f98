// Runs functions of lathe ops: the oracle that every backend and every pass is held against.
//
// Rule of numbers: each op computes in f64 from its operands and rounds each element of its result
// once, to the result's type. A fused op is the composition of its parts, and rounds where they do.
// (Exceptions, in f32 as models define them: the angle of rope_table, the scales of quantize, and
// the product code * scale of dequantize.)
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include "backends/reference/value.h"
#include "backends/reference/weights.h"

namespace lathe::reference {

using Values = llvm::SmallVector<Value>;

// Portable and optimised IR alike. Keeps the weights that it has loaded, so the functions it ran
// must outlive it unchanged. Not thread-safe. Data that does not fit (a token beyond the table, a
// position beyond the context, rows that disagree) is an error at the op that meets it, and never a
// crash.
class Interpreter {
public:
  explicit Interpreter(WeightSource &weights) : weights_(weights) {}

  // The function's results for `arguments`, which fit its types. The function has one block.
  mlir::FailureOr<Values> run(mlir::func::FuncOp function, llvm::ArrayRef<Value> arguments);

private:
  mlir::FailureOr<Values> evaluateOp(mlir::Operation *op, llvm::ArrayRef<Value> operands);

  WeightSource &weights_;
  llvm::DenseMap<mlir::Operation *, Value> loaded_;
};

// One op other than a weight or a terminator, given its operands.
mlir::FailureOr<Values> evaluate(mlir::Operation *op, llvm::ArrayRef<Value> operands);

// A value of a cache type as a step finds it before the first token.
Value emptyCache(mlir::Type type);

// True if the value has that type: same kind, same constants, any extent where the type is dynamic.
bool fits(const Value &value, mlir::Type type);

} // namespace lathe::reference
