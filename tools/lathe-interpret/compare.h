// The proof that a pass keeps meaning: the same functions of two modules on the same inputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mlir/IR/BuiltinOps.h"

namespace lathe::interpret {

struct CompareOptions {
  // NAME or NAME=OTHER, OTHER being its name in the second module; empty: all of the first module.
  std::vector<std::string> functions;
  int64_t rows = 5; // T where neither function fixes it
  uint64_t seed = 1;
  double tolerance = 1e-5; // relative to the largest magnitude of a result
};

// Prints a line for each function, to standard output, and emits an error for each that differs.
mlir::LogicalResult compareModules(mlir::ModuleOp before, mlir::ModuleOp after,
                                   const CompareOptions &options);

} // namespace lathe::interpret
