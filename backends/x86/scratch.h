// What ops need beside their results, in bytes of the arena, and how each cuts it. Asked twice: by
// annotate.h before planning, for the sizes, and by selection, for the places.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "backends/x86/kernels/attention.h"
#include "backends/x86/kernels/mla.h"
#include "backends/x86/weight_plan.h"

namespace lathe::x86 {

// Of rows that are narrow in memory, on whichever level (RowsIn).
int64_t narrowRowsBytes(int64_t max_rows, int64_t columns);

// Offsets in the scratch of a fused_experts op, and the extents that they follow from.
struct ExpertScratch {
  int64_t experts, hidden, inner, top_k;
  int64_t block; // columns that share a scale of quantised activations; 0 without
  int64_t logits, indices, weights, order, position, offsets;
  int64_t x_codes, x_scales, h, h_codes, h_scales, rows;
  int64_t bytes;
};
ExpertScratch expertScratch(ir::FusedExpertsOp op, int64_t max_rows);

// The rows of kv_b that make keys and values; ops with num_heads and head dimensions.
template <typename Op> HeadView keyRows(Op op) {
  int64_t n = op.getQkNopeHeadDim(), v = op.getVHeadDim();
  return {static_cast<int64_t>(op.getNumHeads()), n + v, 0, n};
}
template <typename Op> HeadView valueRows(Op op) {
  int64_t n = op.getQkNopeHeadDim(), v = op.getVHeadDim();
  return {static_cast<int64_t>(op.getNumHeads()), n + v, n, v};
}
// All but the strides.
MlaMaterialisedParams materialisedParams(ir::MlaAttentionOp op, const WeightParams &keys,
                                         const WeightParams &values, int64_t max_rows);
MlaPieceParams pieceParams(ir::MlaAttentionOp op);
AttentionPieceParams pieceParams(ir::AttentionOp op);
// Of attention in the form that a step of `max_rows` rows takes, in bytes; may be 0.
int64_t attentionScratch(ir::MlaAttentionOp op, int64_t max_rows);
int64_t attentionScratch(ir::AttentionOp op, int64_t max_rows);

} // namespace lathe::x86
