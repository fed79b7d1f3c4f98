// The parts of a step that run away from home, and each as a function of its own.
#pragma once

#include <string>
#include <vector>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace lathe::passes {

// Consecutive ops of one target (see lathe-order-parts). Values are those of the step.
struct Part {
  std::string target;
  std::string name; // "decode.0": of its function
  mlir::func::FuncOp step;
  std::vector<mlir::Operation *> ops; // without the weights that they take
  std::vector<mlir::Value> inputs;  // rows that come from outside, in the order of their first use
  std::vector<mlir::Value> results; // rows that something outside takes
  std::vector<mlir::BlockArgument> caches; // of the step, that its ops work on
};

// What a value takes on its way in a step of `rows` rows.
double crossingBytes(mlir::Value value, int64_t rows);

// In the order in which they run.
std::vector<Part> partsOf(mlir::func::FuncOp step);

// A module of a function for each part: (inputs, caches) -> (results, caches), with the weights
// that they take, names and row sources on the arguments, and `lathe.max_rows` of the step.
mlir::OwningOpRef<mlir::ModuleOp> extract(llvm::ArrayRef<Part> parts);

} // namespace lathe::passes
