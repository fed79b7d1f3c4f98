// The tile dialect in C++. See dialect.td and ops.td for what it means.
#pragma once

#include <optional>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"

#include "ir/lathe/dialect.h"

#include "ir/tile/dialect.h.inc"
#define GET_OP_CLASSES
#include "ir/tile/ops.h.inc"

namespace lathe::tile {

// What makes a function a kernel.
inline constexpr llvm::StringLiteral kSize = "tile.size";

struct Size {
  int64_t rows, columns;
  bool operator==(const Size &) const = default;
};

// None of a function that is no kernel.
std::optional<Size> sizeOf(mlir::func::FuncOp function);
mlir::func::FuncOp kernelOf(LaunchOp launch);

} // namespace lathe::tile
