// From a checkpoint to portable IR, without content hashes: nothing here asks for them.
#pragma once

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "frontend/checkpoint.h"
#include "models/import.h"

namespace lathe::interpret {

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
importFolder(mlir::MLIRContext &context, const frontend::Checkpoint &checkpoint,
             models::CacheElement cache);

} // namespace lathe::interpret
