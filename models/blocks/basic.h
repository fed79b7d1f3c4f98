// Blocks that every decoder has. Each builds at the step's present place; `x` and what comes back
// are rows, [T, columns]. Errors are those of models/weights.h.
#pragma once

#include "models/decoder.h"
#include "models/step.h"

namespace lathe::models {

// Rows of `embed_tokens.weight`, times the decoder's embedding scale.
absl::StatusOr<mlir::Value> embedding(Step &step, const Decoder &decoder);

// RMS norm with `NAME.weight`, over groups of `length` columns.
absl::StatusOr<mlir::Value> norm(Step &step, mlir::Value x, absl::string_view name, int64_t length,
                                 double epsilon);

// x W^T + b with `NAME.weight`, floats or codes, and `NAME.bias` where there is one.
absl::StatusOr<mlir::Value> linear(Step &step, mlir::Value x, absl::string_view name, int64_t out,
                                   bool bias = false);

// x * factor; `x` itself for 1.
mlir::Value scaled(Step &step, mlir::Value x, double factor);

// Cosines and sines of the step's positions, for all layers.
absl::StatusOr<mlir::Value> ropeTable(Step &step, const Decoder &decoder);

// Turns each head of `head_dim` columns from `offset` on.
mlir::Value rope(Step &step, mlir::Value x, mlir::Value table, int64_t head_dim, int64_t offset,
                 RopeLayout layout);

// Logits of the rows asked for: they are selected first, so that norm and product see no others.
absl::StatusOr<mlir::Value> head(Step &step, mlir::Value x, const Decoder &decoder);

int64_t columnsOf(mlir::Value rows);

} // namespace lathe::models
