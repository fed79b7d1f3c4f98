// Runs a model token after token, as a runtime would: caches between steps, a step function a call.
#pragma once

#include "mlir/IR/BuiltinOps.h"

#include "backends/reference/interpreter.h"

namespace lathe::reference {

// One sequence, in slot 0. A module has @step (portable), or @decode for one row and @prefill for
// several (optimised), perhaps with a @few for the fewest of them; each takes tokens, slots,
// positions, output_rows and the caches, and gives logits and the caches. The module must outlive
// the runner unchanged.
class ModelRunner {
public:
  // Emits an error at the module if it has no such functions.
  static mlir::FailureOr<ModelRunner> create(mlir::ModuleOp module, WeightSource &weights);

  // Appends tokens to the sequence, in one step. Logits [T, V], a row for each of them.
  mlir::FailureOr<Tensor> feed(llvm::ArrayRef<int32_t> tokens);
  // The same in steps of `chunk` tokens; 0: all at once.
  mlir::FailureOr<Tensor> feedInChunks(llvm::ArrayRef<int32_t> tokens, size_t chunk);

  // Begins a new sequence.
  void reset();
  int64_t position() const { return position_; }

private:
  ModelRunner(mlir::func::FuncOp decode, mlir::func::FuncOp few, mlir::func::FuncOp prefill,
              WeightSource &weights)
      : decode_(decode), few_(few), prefill_(prefill),
        interpreter_(std::make_unique<Interpreter>(weights)) {}

  mlir::func::FuncOp stepFor(size_t rows);

  mlir::func::FuncOp decode_, few_, prefill_; // the first and the last are @step in portable IR
  std::unique_ptr<Interpreter> interpreter_;
  Values caches_;
  int64_t position_ = 0;
};

// The place of the largest of a row of logits; the first of several.
int32_t argmax(const Tensor &logits, int64_t row);

} // namespace lathe::reference
