// Arguments that make sense for any function of lathe ops: floats from a seed, indices that are in
// range for the ops which read them.
#pragma once

#include <cstdint>

#include "backends/reference/interpreter.h"

namespace lathe::interpret {

// `rows` is T, the extent of every argument whose first extent is dynamic (T * K where the argument
// holds a row for each pair of token and expert). Emits an error for a type that cannot be filled.
mlir::FailureOr<reference::Values> seededArguments(mlir::func::FuncOp function, int64_t rows,
                                                   uint64_t seed);

} // namespace lathe::interpret
