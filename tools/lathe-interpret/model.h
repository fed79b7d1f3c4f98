// What the program runs: a module, and where its weights come from.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "backends/reference/weights.h"
#include "frontend/checkpoint.h"
#include "models/import.h"

namespace lathe::interpret {

struct Model {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<frontend::Checkpoint> checkpoint; // null with weights from a seed
  std::unique_ptr<reference::WeightSource> weights;
};

// Text or bytecode. Errors are on standard error; null then.
mlir::OwningOpRef<mlir::ModuleOp> readModule(mlir::MLIRContext &context, const std::string &path);

// `path` is IR or a checkpoint's folder, which is imported with caches of `cache`. `weights` is the
// folder that holds the weights of IR; empty: from the seed.
absl::StatusOr<Model> openModel(mlir::MLIRContext &context, const std::string &path,
                                const std::string &weights, uint64_t seed,
                                models::CacheElement cache = models::CacheElement::f32);

} // namespace lathe::interpret
