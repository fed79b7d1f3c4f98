// Multi-head latent attention and its folds: see ir/lathe/attention_ops.td.
#pragma once

#include "backends/reference/value.h"

namespace lathe::reference {

struct MlaShape {
  int64_t num_heads, qk_nope_head_dim, qk_rope_head_dim, v_head_dim;
};

// Writes the step's latents into `cache`, then attends. With `kv_b` keys and values of each head
// are expanded from the latents, as the definition says, whatever the op's form: all forms mean
// this. Without (nullptr) queries and results are in latent space already.
Tensor mlaAttention(const Tensor &query, const Tensor &latent, const Indices &slots,
                    const Indices &positions, LatentCache &cache, const Tensor *kv_b,
                    const MlaShape &shape, float softmax_scale);

Tensor absorbQuery(const Tensor &input, const Tensor &kv_b, const MlaShape &shape);
Tensor expandValue(const Tensor &input, const Tensor &kv_b, const MlaShape &shape);

} // namespace lathe::reference
