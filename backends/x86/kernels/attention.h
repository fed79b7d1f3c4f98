// Grouped-query attention over a key-value cache. Slots and positions are the frame's.
#pragma once

#include "backends/x86/kernels/pieces.h"
#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

// A layer's cache. Per slot and KV head: keys in tiles of 16 positions, [tile][key_dim][16], so
// that scores are a product with 16 keys at once; then values [position][value_dim rounded up to
// 16]. All zero at first; numbers of columns that are padding stay zero.
struct KvCacheParams {
  int64_t slots;
  int64_t max_context;
  int64_t kv_heads;
  int64_t key_dim;
  int64_t value_dim;
  int64_t format; // f32, bf16, f16: rounded to nearest even when written
};
constexpr int64_t kvKeyBytes(const KvCacheParams &c) { // of one slot and head
  return roundUp(c.max_context, 16) * c.key_dim * formatBytes(c.format);
}
constexpr int64_t kvValueBytes(const KvCacheParams &c) {
  return roundUp(c.max_context, 16) * roundUp(c.value_dim, 16) * formatBytes(c.format);
}
constexpr int64_t kvCacheBytes(const KvCacheParams &c) { // of the layer; align it to 64
  return c.slots * c.kv_heads * roundUp(kvKeyBytes(c) + kvValueBytes(c), 64);
}

// Puts key [T, kv_heads * key_dim] and value [T, kv_heads * value_dim] at (slot, position).
// Item = a KV head.
struct AttentionWriteParams {
  KvCacheParams cache;
  int64_t key_stride;
  int64_t value_stride;
};
struct AttentionWriteOperand {
  enum : int64_t { key, value, cache, count };
};
constexpr Items attentionWriteItems(const AttentionWriteParams &p) {
  return {p.cache.kv_heads, 1, 1, RowSource::none};
}
LATHE_X86_KERNEL(attention_write, AttentionWriteParams)

// result[t, h] = sum_s softmax_s(softmax_scale * query[t, h] . k[s]) v[s] over the keys s of the
// row's slot with s <= position and position - s < window. Online softmax over blocks of 64 keys
// (FlashAttention-2). Item = (block of rows, KV head); a block may hold rows of several slots. For
// steps of several rows.
struct AttentionParams {
  KvCacheParams cache;
  int64_t num_heads;
  int64_t softmax_scale; // f32 bits
  int64_t window;        // 0: none
  int64_t query_stride;
  int64_t result_stride;
  int64_t result_in;      // RowsIn; f32 unless value_dim is a multiple of 16
  int64_t rows_per_item;  // 1 to 64
  int64_t keys_per_piece; // of decode steps, so that vectors sum in their order
  int64_t may_round;      // what is multiplied, to bf16
};
struct AttentionOperand {
  enum : int64_t { query, cache, result, count };
};
constexpr Items attentionItems(const AttentionParams &p) {
  return {p.cache.kv_heads, p.rows_per_item, 1, RowSource::rows};
}
LATHE_X86_KERNEL(attention, AttentionParams)

// The same for a piece of the context of a decode step's one row (pieces.h). Maxima are of scores
// in powers of two.
struct AttentionPieceParams {
  KvCacheParams cache;
  int64_t num_heads;
  int64_t softmax_scale;  // f32 bits
  int64_t window;         // 0: none
  int64_t keys_per_piece; // a multiple of 64
};
struct AttentionPieceOperand {
  enum : int64_t { query, cache, scratch, count };
};
constexpr int64_t attention_queries = 64; // at most, that share a pass over keys
constexpr Pieces attentionPieces(const AttentionPieceParams &p) {
  int64_t group = p.num_heads / p.cache.kv_heads;
  return {p.cache.kv_heads,
          group,
          group < attention_queries ? group : attention_queries,
          p.cache.value_dim,
          p.keys_per_piece,
          p.cache.max_context,
          p.window};
}
LATHE_X86_KERNEL(attention_piece, AttentionPieceParams)

} // namespace lathe::x86
