// Mixture of experts: see ir/lathe/moe_ops.td and the routing attribute in dialect.td.
#pragma once

#include <utility>

#include "backends/reference/linear.h"
#include "backends/reference/value.h"

namespace lathe::reference {

struct Routing {
  enum class Score { softmax, sigmoid } score = Score::softmax;
  enum class GroupScore { max, top2_sum } group_score = GroupScore::max;
  int64_t top_k = 1, n_group = 1, topk_group = 1;
  bool renormalize = false;
  float scale = 1;
};

struct Routed {
  Indices indices; // [T, K], best first
  Tensor weights;  // [T, K]
};
// `bias` may be nullptr.
Routed moeRoute(const Tensor &logits, const Tensor *bias, const Routing &routing);

struct Dispatched {
  Tensor rows;     // [T * K, H], sorted by expert
  Indices order;   // order[i] = t * K + k
  Indices offsets; // E + 1
};
Dispatched moeDispatch(const Tensor &input, const Indices &indices, int64_t num_experts);

// How rows and inner activations enter the products of experts.
enum class Activations { f32, bf16, w8a8, w8a8_ue8m0, w8a8_i8 };

struct Experts { // stacks [E, F, H], [E, F, H], [E, H, F]
  Matrix gate, up, down;
};
// The rows of the experts named by `offsets` (E + 1, from 0 to the number of rows, rising).
Tensor expertFfn(const Tensor &rows, const Indices &offsets, const Experts &experts,
                 Activations activations);

Tensor moeCombine(const Tensor &rows, const Indices &order, const Tensor &weights);

// The composition of the four with the router's product.
Tensor fusedExperts(const Tensor &input, const Tensor &router, const Experts &experts,
                    const Tensor *bias, const Routing &routing, Activations activations);

} // namespace lathe::reference
