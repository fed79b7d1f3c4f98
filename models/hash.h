// Content hashes in the references of weights.
#pragma once

#include "absl/status/status.h"
#include "mlir/IR/BuiltinOps.h"

#include "frontend/checkpoint.h"
#include "models/import.h"

namespace lathe::models {

// Gives each tensor_ref of the module its hash; each tensor is read once. CANCELLED when `progress`
// says so.
absl::Status hashWeights(mlir::ModuleOp module, const frontend::Checkpoint &checkpoint,
                         const Progress &progress);

} // namespace lathe::models
