// What follows attention in a layer; at place "layers.N.mlp".
#pragma once

#include "models/decoder.h"
#include "models/step.h"

namespace lathe::models {

// `x` [T, hidden] to the same.
absl::StatusOr<mlir::Value> feedForward(Step &step, mlir::Value x, const Mlp &mlp);
absl::StatusOr<mlir::Value> feedForward(Step &step, mlir::Value x, const Moe &moe);

} // namespace lathe::models
