// Multi-head latent attention over a latent cache (DeepSeek-V2 paper, section 2.1). Slots and
// positions are the frame's. c = kv_lora_rank, r = rope_dim, n = nope_dim, v = value_dim.
#pragma once

#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

// A layer's cache: [slot][position][latentStride], a row being [latent c | rotated key r | zeros].
struct LatentCacheParams {
  int64_t slots;
  int64_t max_context;
  int64_t kv_lora_rank;
  int64_t rope_dim;
  int64_t format; // f32, bf16, f16: rounded to nearest even when written
};
constexpr int64_t latentStride(const LatentCacheParams &c) {
  return roundUp(c.kv_lora_rank + c.rope_dim, 16);
}
constexpr int64_t latentCacheBytes(const LatentCacheParams &c) { // of the layer; align it to 64
  return c.slots * roundUp(c.max_context, 16) * latentStride(c) * formatBytes(c.format);
}

// Puts latent [T, c + r] at (slot, position). Item = a block of rows.
struct MlaWriteParams {
  RowSplit split; // source rows
  LatentCacheParams cache;
  int64_t latent_stride;
};
struct MlaWriteOperand {
  enum : int64_t { latent, cache, count };
};
constexpr Items mlaWriteItems(const MlaWriteParams &p) { return rowItems(p.split); }
LATHE_X86_KERNEL(mla_write, MlaWriteParams)

// Absorbed form: query [T, num_heads * (c + r)] is in latent space,
// result[t, h] = sum_s softmax_s(softmax_scale * query[t, h] . latent[s]) latent_c[s], [T,
// num_heads * c]. Item = (block of rows, block of heads): all its heads share one pass over the
// latents.
struct MlaAbsorbedParams {
  LatentCacheParams cache;
  int64_t num_heads;
  int64_t softmax_scale; // f32 bits
  int64_t query_stride;
  int64_t result_stride;
  int64_t heads_per_item;
  int64_t rows_per_item; // 1 to 64
};
struct MlaAbsorbedOperand {
  enum : int64_t { query, cache, result, count };
};
constexpr Items mlaAbsorbedItems(const MlaAbsorbedParams &p) {
  return {ceilDiv(p.num_heads, p.heads_per_item), p.rows_per_item, 1, RowSource::rows};
}
LATHE_X86_KERNEL(mla_absorbed, MlaAbsorbedParams)

// Materialised form: query [T, num_heads * (n + r)] is [nope | rotated rope] per head; for blocks
// of keys k_nope = latent_c W_UK^T and value = latent_c W_UV^T are expanded once for all rows of
// the item, result [T, num_heads * v]. key_weight is a stack of num_heads matrices [n, c],
// value_weight of [v, c] (rows h * (n + v) and h * (n + v) + n of kv_b). Item = (block of rows,
// head). rows_per_item should be large: expansion is repeated per block. `scratch` needs
// mlaMaterialisedScratch(params) * items bytes, 64-byte aligned.
struct MlaMaterialisedParams {
  LatentCacheParams cache;
  WeightParams key_weight;
  WeightParams value_weight;
  int64_t num_heads;
  int64_t softmax_scale; // f32 bits
  int64_t query_stride;
  int64_t result_stride;
  int64_t rows_per_item;
};
struct MlaMaterialisedOperand {
  enum : int64_t { query, cache, key_weight, value_weight, scratch, result, count };
};
constexpr Items mlaMaterialisedItems(const MlaMaterialisedParams &p) {
  return {p.num_heads, p.rows_per_item, 1, RowSource::rows};
}
constexpr int64_t mla_key_block = 64; // keys that are expanded together
constexpr int64_t mlaMaterialisedScratch(const MlaMaterialisedParams &p) { // bytes for one item
  int64_t latents = mla_key_block * latentStride(p.cache);
  int64_t keys = mla_key_block * (p.key_weight.n + p.cache.rope_dim);
  int64_t values = mla_key_block * roundUp(p.value_weight.n, 16);
  int64_t accumulators = p.rows_per_item * (roundUp(p.value_weight.n, 16) + 2);
  return roundUp(4 * (latents + keys + values + accumulators), 64);
}
LATHE_X86_KERNEL(mla_materialised, MlaMaterialisedParams)

} // namespace lathe::x86
