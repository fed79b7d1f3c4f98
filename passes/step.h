// What a step's function says of itself beside its ops: how many rows it takes, what its arguments
// are called, which of them are caches.
#pragma once

#include <cstdint>
#include <string>

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace lathe::passes {

// tokens, slots, positions, output_rows; caches behind them.
inline constexpr unsigned kOutputRowsArgument = 3, kIndexArguments = 4;

// The most rows of a run, by `lathe.max_rows`; 1 where it says nothing.
int64_t maxRows(mlir::func::FuncOp function);

// `lathe.name` of the argument, or else what it is called in every step; "input4" of any other.
std::string argumentName(mlir::func::FuncOp function, unsigned argument);

bool isCache(mlir::Type type);
// The argument behind a cache that ops have handed on: they update it in place.
mlir::BlockArgument cacheArgument(mlir::Value cache);

} // namespace lathe::passes
