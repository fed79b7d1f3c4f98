// Multi-head latent attention over a latent cache (DeepSeek-V2 paper, section 2.1). Slots and
// positions are the frame's. c = kv_lora_rank, r = rope_dim, n = nope_dim, v = value_dim.
#pragma once

#include "backends/x86/kernels/pieces.h"
#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

// A layer's cache: [slot][position / 16][column / 32][position % 16][column % 32], columns being
// [latent c | rotated key r | zeros]. A piece of 16 positions and 32 columns is what AMX loads as a
// tile of bf16; whoever walks through pieces reads memory in few streams, which the processor's
// prefetchers follow. All zero at first; padding stays zero.
struct LatentCacheParams {
  int64_t slots;
  int64_t max_context;
  int64_t kv_lora_rank;
  int64_t rope_dim;
  int64_t format; // f32, bf16, f16: rounded to nearest even when written, in the order of weight.h
};
constexpr int64_t latent_block = 16;                         // positions of a piece
constexpr int64_t latent_columns = 32;                       // columns of a piece
constexpr int64_t latentPieces(const LatentCacheParams &c) { // of latent_block positions
  return ceilDiv(c.kv_lora_rank + c.rope_dim, latent_columns);
}
constexpr int64_t latentBytes(const LatentCacheParams &c) { // of a position
  return latentPieces(c) * latent_columns * formatBytes(c.format);
}
constexpr int64_t latentSlotBytes(const LatentCacheParams &c) {
  return roundUp(c.max_context, latent_block) * latentBytes(c);
}
constexpr int64_t latentCacheBytes(const LatentCacheParams &c) { // of the layer; align it to 64
  return c.slots * latentSlotBytes(c);
}
// Of the first column of a piece, in elements from the slot's first.
constexpr int64_t latentPlace(const LatentCacheParams &c, int64_t position, int64_t piece) {
  return ((position / latent_block * latentPieces(c) + piece) * latent_block +
          position % latent_block) *
         latent_columns;
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
// num_heads * c]. Item = a block of rows; latent_queries pairs of row and head at a time share a
// pass over the latents. For steps of several rows.
constexpr int64_t latent_queries = 16; // that share a pass
struct MlaAbsorbedParams {
  LatentCacheParams cache;
  int64_t num_heads;
  int64_t softmax_scale; // f32 bits
  int64_t query_stride;
  int64_t result_stride;
  int64_t rows_per_item;
};
struct MlaAbsorbedOperand {
  enum : int64_t { query, cache, result, count };
};
constexpr Items mlaAbsorbedItems(const MlaAbsorbedParams &p) {
  return {1, p.rows_per_item, 1, RowSource::rows};
}
LATHE_X86_KERNEL(mla_absorbed, MlaAbsorbedParams)

// The same for a piece of the context of a decode step's one row (pieces.h). Maxima are of scores.
struct MlaPieceParams {
  LatentCacheParams cache;
  int64_t num_heads;
  int64_t softmax_scale; // f32 bits
  int64_t keys_per_piece;
};
struct MlaPieceOperand {
  enum : int64_t { query, cache, scratch, count };
};
constexpr Pieces mlaPieces(const MlaPieceParams &p) {
  return {
      1, p.num_heads, latent_queries, p.cache.kv_lora_rank, p.keys_per_piece, p.cache.max_context,
      0};
}
LATHE_X86_KERNEL(mla_piece, MlaPieceParams)

// Materialised form: query [T, num_heads * (n + r)] is [nope | rotated rope] per head; for blocks
// of keys k_nope = latent_c W_UK^T and value = latent_c W_UV^T are expanded once for all rows of
// the item, result [T, num_heads * v]. key_weight is a stack of num_heads matrices [n, c],
// value_weight of [v, c] (rows h * (n + v) and h * (n + v) + n of kv_b). Item = (block of rows,
// head). rows_per_item should be large, since expansion is repeated per block, but the stack holds
// their queries and sums.
//
// Work for T rows that see S keys each, a head: S c (n + v) multiplications expand, T S (n + r + v)
// attend. With DeepSeek's heads (c 512, n 128, r 64, v 128) and an item of 256 rows these are 131 k
// and 82 k a key; on AMX, f32 latents times weights being three products of tiles and the rest six
// (flash_amx.h), 768 and 960 cycles a key and head: 28 k cycles a key and layer of 16 heads, 9 ms
// of one core at 3 GHz for 1000 keys. In vectors of 16 at two FMAs a cycle it is 6660 cycles a key
// and head. Bytes: 2304 of an f32 latent, 128 KiB of e4m3 weights a head, which stay in L2.
struct MlaMaterialisedParams {
  LatentCacheParams cache;
  WeightParams key_weight;
  WeightParams value_weight;
  int64_t num_heads;
  int64_t softmax_scale; // f32 bits
  int64_t query_stride;
  int64_t result_stride;
  int64_t result_in; // RowsIn; f32 unless v is a multiple of 16
  int64_t rows_per_item;
  int64_t may_round; // what is multiplied, to bf16
};
struct MlaMaterialisedOperand {
  enum : int64_t { query, cache, key_weight, value_weight, result, count };
};
constexpr Items mlaMaterialisedItems(const MlaMaterialisedParams &p) {
  return {p.num_heads, p.rows_per_item, 1, RowSource::rows};
}
LATHE_X86_KERNEL(mla_materialised, MlaMaterialisedParams)

} // namespace lathe::x86
