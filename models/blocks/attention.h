// Attention over a cache of its own, with the projections around it; at place "layers.N.self_attn".
#pragma once

#include "models/decoder.h"
#include "models/step.h"

namespace lathe::models {

// `x` [T, hidden] to the same; `table` is that of ropeTable().
absl::StatusOr<mlir::Value> attention(Step &step, mlir::Value x, mlir::Value table, const Gqa &gqa,
                                      const Decoder &decoder);
absl::StatusOr<mlir::Value> attention(Step &step, mlir::Value x, mlir::Value table, const Mla &mla,
                                      const Decoder &decoder);

} // namespace lathe::models
