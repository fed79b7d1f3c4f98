// Mixture of experts. T rows, K = top_k choices a row, E experts, H hidden columns, F inner
// columns. Pair p = t * K + k. Prefill: route, sort, gate_up, down, combine. Decode (one row):
// route, gate_up_row, down_row. With w8a8, `quantize` runs on x before and on h (factor K) between.
#pragma once

#include "backends/x86/kernels/linear.h"

namespace lathe::x86 {

constexpr int64_t max_experts = 4096;
constexpr int64_t route_rows = 48; // the most rows of an item of moe_route

struct RouteScore {
  enum Kind : int64_t { softmax = 0, sigmoid = 1 };
};
struct GroupScore {
  enum Kind : int64_t { max = 0, top2_sum = 1 };
};

// Chooses experts as #lathe.routing says: indices i32 [T, K] best first, ties to the lower index,
// weights f32 [T, K]. Item = a block of rows. The router's product is made inside, a block's logits
// live on the stack; with `from_logits` they are read instead (one row of a large router: `linear`
// spreads the product over the threads). With `rounds`, x is also left as the experts multiply it,
// in bf16 [T, H].
struct MoeRouteParams {
  RowSplit split;      // rows_per_item at most route_rows
  WeightParams router; // n = E at most max_experts; k = H
  int64_t from_logits;
  int64_t rounds;       // not from_logits
  int64_t input_stride; // of x, or of the logits
  int64_t has_bias;     // selection bias
  int64_t score;
  int64_t top_k;
  int64_t n_group;
  int64_t topk_group;
  int64_t group_score;
  int64_t renormalize;
  int64_t factor; // f32 bits: routed scaling factor
};
struct MoeRouteOperand {
  // input: x or logits; router: no_operand with from_logits; bias: f32 [E] or no_operand; rounded:
  // no_operand unless it rounds
  enum : int64_t { input, router, bias, indices, weights, rounded, count };
};
constexpr Items moeRouteItems(const MoeRouteParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(moe_route, MoeRouteParams)

// Stable counting sort of the pairs by expert. order[i]: the pair that stands at i; position[p]:
// where pair p stands; expert e has the places offsets[e] <= i < offsets[e + 1]. All i32; one item,
// serial.
struct MoeSortParams {
  int64_t num_experts;
  int64_t top_k;
};
struct MoeSortOperand {
  enum : int64_t { indices, order, position, offsets, count }; // [T*K], [T*K], [T*K], [E + 1]
};
constexpr Items moeSortItems(const MoeSortParams &) { return {}; }
LATHE_X86_KERNEL(moe_sort, MoeSortParams)

// h[i] = swiglu(x[order[i] / K] gate_e^T, x[order[i] / K] up_e^T) for the places i of expert e.
// h is [T * K, F] in sorted order, as `result_in` says. Item = (expert, group of tiles of F).
struct MoeGateUpParams {
  WeightParams weight; // of one expert, n = F, k = H; gate and up have one layout
  XParams x;
  int64_t num_experts;
  int64_t top_k;
  int64_t result_stride;
  int64_t result_in; // RowsIn
  int64_t tiles_per_item;
};
struct MoeGateUpOperand {
  enum : int64_t { x, x_scales, order, offsets, gate, up, result, count };
};
constexpr Items moeGateUpItems(const MoeGateUpParams &p) {
  return {p.num_experts * ceilDiv(tileCount(p.weight.n), p.tiles_per_item), 1, 1, RowSource::none};
}
LATHE_X86_KERNEL(moe_gate_up, MoeGateUpParams)

// result[i] = h[i] down_e^T for the places i of expert e: [T * K, H] in sorted order.
// Item = (expert, group of tiles of H).
struct MoeDownParams {
  WeightParams weight; // of one expert, n = H, k = F
  XParams x;           // of h
  int64_t num_experts;
  int64_t result_stride;
  int64_t tiles_per_item;
};
struct MoeDownOperand {
  enum : int64_t { x, x_scales, offsets, down, result, count };
};
constexpr Items moeDownItems(const MoeDownParams &p) {
  return {p.num_experts * ceilDiv(tileCount(p.weight.n), p.tiles_per_item), 1, 1, RowSource::none};
}
LATHE_X86_KERNEL(moe_down, MoeDownParams)

// result[t] = residual[t] + sum_k weights[t, k] * rows[position[t * K + k]], k rising; the residual
// (optional) is added last. result may be the residual.
struct MoeCombineParams {
  RowSplit split; // factor 1
  int64_t columns;
  int64_t top_k;
  int64_t rows_stride;
  int64_t has_residual;
  int64_t residual_stride;
  int64_t result_stride;
};
struct MoeCombineOperand {
  enum : int64_t { rows, position, weights, residual, result, count };
};
constexpr Items moeCombineItems(const MoeCombineParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(moe_combine, MoeCombineParams)

// One row: h[k] = swiglu(x gate_e^T, x up_e^T), e = indices[k]. h is [K, F]. Item = (k, group of
// tiles).
struct MoeGateUpRowParams {
  WeightParams weight;
  XParams x;
  int64_t top_k;
  int64_t result_stride;
  int64_t tiles_per_item;
};
struct MoeGateUpRowOperand {
  enum : int64_t { x, x_scales, indices, gate, up, result, count };
};
constexpr Items moeGateUpRowItems(const MoeGateUpRowParams &p) {
  return {p.top_k * ceilDiv(tileCount(p.weight.n), p.tiles_per_item), 1, 1, RowSource::none};
}
LATHE_X86_KERNEL(moe_gate_up_row, MoeGateUpRowParams)

// One row: result = residual + sum_k weights[k] * (h[k] down_e^T), k rising, e = indices[k]; the
// residual (optional) is added last. Item = a group of tiles of H.
struct MoeDownRowParams {
  WeightParams weight;
  XParams x; // of h
  int64_t top_k;
  int64_t has_residual;
  int64_t tiles_per_item;
};
struct MoeDownRowOperand {
  enum : int64_t { x, x_scales, indices, weights, down, residual, result, count };
};
constexpr Items moeDownRowItems(const MoeDownRowParams &p) {
  return {ceilDiv(tileCount(p.weight.n), p.tiles_per_item), 1, 1, RowSource::none};
}
LATHE_X86_KERNEL(moe_down_row, MoeDownRowParams)

} // namespace lathe::x86
