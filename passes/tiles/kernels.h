// What ops become as kernels over tiles.
#pragma once

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"

#include "ir/tile/dialect.h"

namespace lathe::passes {

// True for ops that kernels can be made of; lower-to-tiles lists them.
bool hasFormInTiles(mlir::Operation *op);

// Puts a launch for each result of `op`, which has a form in tiles, in its place, and their kernels
// into the module of `symbols`, named like the op. Tiles are of `size`, or as large as the result
// where that is smaller. Slices before the op lose a user and stay.
llvm::SmallVector<tile::LaunchOp> lowerToTiles(mlir::RewriterBase &rewriter,
                                               mlir::SymbolTable &symbols, mlir::Operation *op,
                                               tile::Size size);

} // namespace lathe::passes
