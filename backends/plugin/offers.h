// What a plugin's target says of each op, written down for placement (passes/partition/offers.h).
#pragma once

#include "absl/status/status.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include "backends/plugin/target.h"
#include "ir/tile/dialect.h"

namespace lathe::plugin {

// Asks about every op of `module`. An error of the plugin's, with the op.
absl::Status setOffers(mlir::ModuleOp module, const Target &target);

// The same for a target that takes tiles: it is asked about the launches that an op becomes and
// about all that their kernels do. The op is taken if all of that is, for the sum of their seconds.
absl::Status setOffersOfTiles(mlir::ModuleOp module, const Target &target);

// What a target that takes tiles is asked about because of one launch in a step of `rows` rows: the
// launch itself, then the ops of its kernel, each with the points of the grid.
absl::Status forEachAsked(tile::LaunchOp launch, int64_t rows,
                          llvm::function_ref<absl::Status(mlir::Operation *, int64_t points)> ask);

} // namespace lathe::plugin
