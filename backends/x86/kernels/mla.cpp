#include "backends/x86/kernels/mla.h"

#include "backends/x86/kernels/flash.h"
#include "backends/x86/kernels/product.h"
#include "backends/x86/kernels/row_loop.h"

using namespace lathe::x86;

#define LATHE_BODY __attribute__((always_inline))

static LATHE_INLINE char *latentRow(char *cache, const LatentCacheParams &c, int64_t slot,
                                    int64_t position) {
  return cache +
         (slot * roundUp(c.max_context, 16) + position) * latentStride(c) * formatBytes(c.format);
}

LATHE_X86_DEFINE(mla_write)
(const Frame *frame, const int64_t *operands, const MlaWriteParams *params, int64_t begin,
 int64_t end) {
  const MlaWriteParams &p = *params;
  const LatentCacheParams &c = p.cache;
  const float *latent = resolve<float>(frame, operands[MlaWriteOperand::latent]);
  char *cache = resolve<char>(frame, operands[MlaWriteOperand::cache]);
  const int32_t *slots = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::slots]);
  const int32_t *positions = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::positions]);
  int64_t columns = c.kv_lora_rank + c.rope_dim;
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    char *to = latentRow(cache, c, slots[t], positions[t]);
    eachVector(columns, [&](int64_t j, int64_t here) LATHE_BODY {
      encode(to + j * formatBytes(c.format), c.format,
             loadSome(latent + t * p.latent_stride + j, here));
    });
  });
}

// The latents of keys [start, start + count) as f32 rows latentStride apart: where they lie, or in
// `to`.
static LATHE_INLINE const float *latentsAt(char *cache, const LatentCacheParams &c, int64_t slot,
                                           int64_t start, int64_t count, float *to) {
  const char *from = latentRow(cache, c, slot, start);
  if (c.format == Format::f32)
    return reinterpret_cast<const float *>(from);
  for (int64_t i = 0; i < count * latentStride(c); i += 16)
    store16(to + i, decode(from + i * formatBytes(c.format), c.format));
  return to;
}

// The columns [begin, end) of `count` rows as tiles of 16 keys: keys[key / 16][place + column -
// begin][key % 16].
static LATHE_INLINE void transposeKeys(const float *rows, int64_t stride, int64_t begin,
                                       int64_t end, int64_t count, int64_t key_dim, int64_t place,
                                       float *keys) {
  for (int64_t tile = 0; tile < count; tile += 16)
    for (int64_t d = begin; d < end; ++d) {
      float *to = keys + (tile * key_dim) + (place + d - begin) * 16;
      for (int64_t key = 0; key < 16; ++key)
        to[key] = tile + key < count ? rows[(tile + key) * stride + d] : 0.0f;
    }
}

namespace {
constexpr int absorbed_keys = 32;        // keys of a block: transposed they stay in L2
constexpr int64_t absorbed_queries = 32; // (row, head) pairs that share a pass over the latents
} // namespace

LATHE_X86_DEFINE(mla_absorbed)
(const Frame *frame, const int64_t *operands, const MlaAbsorbedParams *params, int64_t begin,
 int64_t end) {
  const MlaAbsorbedParams &p = *params;
  const LatentCacheParams &c = p.cache;
  const float *query = resolve<float>(frame, operands[MlaAbsorbedOperand::query]);
  char *cache = resolve<char>(frame, operands[MlaAbsorbedOperand::cache]);
  float *result = resolve<float>(frame, operands[MlaAbsorbedOperand::result]);
  const int32_t *slots = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::slots]);
  const int32_t *positions = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::positions]);
  int64_t width = c.kv_lora_rank + c.rope_dim, head_blocks = ceilDiv(p.num_heads, p.heads_per_item);
  FlashShape shape = {width, c.kv_lora_rank, bitsFloat(p.softmax_scale)};
  FlashState state =
      flashState(LATHE_STACK_FLOATS(flashStateFloats(absorbed_queries, c.kv_lora_rank)),
                 absorbed_queries, c.kv_lora_rank);
  float *keys = LATHE_STACK_FLOATS(absorbed_keys * width);
  float *latents =
      LATHE_STACK_FLOATS(c.format == Format::f32 ? 16 : absorbed_keys * latentStride(c));
  for (int64_t item = begin; item < end; ++item) {
    int64_t block = item / head_blocks * p.rows_per_item,
            first_head = item % head_blocks * p.heads_per_item;
    int64_t heads = smaller(p.heads_per_item, p.num_heads - first_head);
    eachSegment(slots, block, smaller(frame->rows, block + p.rows_per_item),
                [&](int64_t slot, int64_t first, int64_t last) LATHE_BODY {
                  auto keysAt = [&](int64_t start, int64_t count) LATHE_BODY {
                    const float *rows = latentsAt(cache, c, slot, start, count, latents);
                    transposeKeys(rows, latentStride(c), 0, width, count, width, 0, keys);
                    return FlashKeys{keys, rows, latentStride(c)};
                  };
                  int64_t pairs = (last - first) * heads;
                  for (int64_t pair = 0; pair < pairs; pair += absorbed_queries) {
                    auto rowAt = [&](int64_t i) LATHE_BODY {
                      int64_t t = first + (pair + i) / heads, h = first_head + (pair + i) % heads;
                      return FlashRow{query + t * p.query_stride + h * width,
                                      result + t * p.result_stride + h * c.kv_lora_rank, 0,
                                      positions[t]};
                    };
                    flash<absorbed_keys>(smaller(absorbed_queries, pairs - pair), shape, state,
                                         rowAt, keysAt);
                  }
                });
  }
}

LATHE_X86_DEFINE(mla_materialised)
(const Frame *frame, const int64_t *operands, const MlaMaterialisedParams *params, int64_t begin,
 int64_t end) {
  const MlaMaterialisedParams &p = *params;
  const LatentCacheParams &c = p.cache;
  const WeightParams &kw = p.key_weight, &vw = p.value_weight;
  const float *query = resolve<float>(frame, operands[MlaMaterialisedOperand::query]);
  char *cache = resolve<char>(frame, operands[MlaMaterialisedOperand::cache]);
  const char *key_weight = resolve<char>(frame, operands[MlaMaterialisedOperand::key_weight]);
  const char *value_weight = resolve<char>(frame, operands[MlaMaterialisedOperand::value_weight]);
  char *scratch = resolve<char>(frame, operands[MlaMaterialisedOperand::scratch]);
  float *result = resolve<float>(frame, operands[MlaMaterialisedOperand::result]);
  const int32_t *slots = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::slots]);
  const int32_t *positions = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::positions]);
  int64_t width = kw.n + c.rope_dim, value_stride = roundUp(vw.n, 16), stride = latentStride(c);
  FlashShape shape = {width, vw.n, bitsFloat(p.softmax_scale)};
  XParams xp = {Activations::f32, stride, 0, 0};
  for (int64_t item = begin; item < end; ++item) {
    int64_t head = item % p.num_heads, block = item / p.num_heads * p.rows_per_item;
    float *latents = reinterpret_cast<float *>(scratch + item * mlaMaterialisedScratch(p));
    float *keys = latents + mla_key_block * stride, *values = keys + mla_key_block * width;
    FlashState state = flashState(values + mla_key_block * value_stride, p.rows_per_item, vw.n);
    const char *key_stack = key_weight + head * kw.matrix_bytes,
               *value_stack = value_weight + head * vw.matrix_bytes;
    eachSegment(
        slots, block, smaller(frame->rows, block + p.rows_per_item),
        [&](int64_t slot, int64_t first, int64_t last) LATHE_BODY {
          auto keysAt = [&](int64_t start, int64_t count) LATHE_BODY {
            XRows rows = {latentsAt(cache, c, slot, start, count, latents), nullptr, nullptr, 1};
            auto keepKey = [&](int64_t key, int64_t tile, const f32x16 *totals) LATHE_BODY {
              float *to = keys + key / 16 * 16 * width + tile * 256 + key % 16;
              for (int64_t lane = 0, here = smaller<int64_t>(16, kw.n - tile * 16); lane < here;
                   ++lane)
                to[lane * 16] = totals[0][lane];
            };
            auto keepValue = [&](int64_t key, int64_t tile, const f32x16 *totals) LATHE_BODY {
              store16(values + key * value_stride + tile * 16, totals[0]);
            };
            manyRows<1>(rows, count, &key_stack, 0, tileCount(kw.n), kw, xp, keepKey);
            manyRows<1>(rows, count, &value_stack, 0, tileCount(vw.n), vw, xp, keepValue);
            transposeKeys(rows.x, stride, c.kv_lora_rank, c.kv_lora_rank + c.rope_dim, count, width,
                          kw.n, keys);
            return FlashKeys{keys, values, value_stride};
          };
          auto rowAt = [&](int64_t i) LATHE_BODY {
            int64_t t = first + i;
            return FlashRow{query + t * p.query_stride + head * width,
                            result + t * p.result_stride + head * vw.n, 0, positions[t]};
          };
          flash<mla_key_block>(last - first, shape, state, rowAt, keysAt);
        });
  }
}
