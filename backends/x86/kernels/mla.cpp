#include "backends/x86/kernels/mla.h"

#include "backends/x86/kernels/flash.h"
#include "backends/x86/kernels/latent_amx.h"
#include "backends/x86/kernels/latent_vectors.h"
#include "backends/x86/kernels/product.h"
#include "backends/x86/kernels/row_loop.h"

using namespace lathe::x86;

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
    char *to = cache + slots[t] * latentSlotBytes(c);
    eachVector(columns, [&](int64_t j, int64_t here) LATHE_BODY {
      int64_t place = latentPlace(c, positions[t], j / latent_columns) + j % latent_columns;
      encode(to + place * formatBytes(c.format), c.format,
             loadSome(latent + t * p.latent_stride + j, here));
    });
  });
}

// The latents of keys [start, start + count) of a slot as f32 rows, `stride` apart; bf16 numbers if
// they may be rounded.
static LATHE_INLINE void latentRows(const char *slot, const LatentCacheParams &c, int64_t start,
                                    int64_t count, int64_t stride, bool may_round, float *to) {
  for (int64_t i = 0; i < count; ++i)
    for (int64_t j = 0; j < stride; j += 16) {
      int64_t place = latentPlace(c, start + i, j / latent_columns) + j % latent_columns;
      f32x16 latent = decode(slot + place * formatBytes(c.format), c.format);
      store16(to + i * stride + j, may_round ? roundBf16(latent) : latent);
    }
}

// body(form) with the form of latent attention for this level and cache.
template <typename Body>
static LATHE_INLINE void withLatentForm(const LatentCacheParams &c, Body body) {
  auto with = [&]<typename Form>(Form *) LATHE_BODY {
    Form form(c, LATHE_STACK_FLOATS(Form::memoryFloats(c)));
    body(form);
  };
#if LATHE_X86_AMX
  if (c.format == Format::bf16)
    return with(static_cast<LatentAmx<1> *>(nullptr));
  with(static_cast<LatentAmx<all_terms> *>(nullptr));
#else
  with(static_cast<LatentVectors *>(nullptr));
#endif
}

// Pairs of row and head, `q.count` from `pair` on, of the rows from `first` on.
static LATHE_INLINE void storeResults(const MlaAbsorbedParams &p, int64_t first, int64_t pair,
                                      const LatentQueries &q, const LatentState &state,
                                      float *result) {
  int64_t rank = p.cache.kv_lora_rank, stride = sumStride(p.cache.kv_lora_rank);
  for (int64_t i = 0; i < q.count; ++i) {
    float *to = result + (first + (pair + i) / p.num_heads) * p.result_stride +
                (pair + i) % p.num_heads * rank;
    eachVector(rank, [&](int64_t j, int64_t here) LATHE_BODY {
      storeSome(to + j, load16(state.sums + i * stride + j) / state.total[i], here);
    });
  }
}

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
  int64_t width = c.kv_lora_rank + c.rope_dim;
  LatentState state =
      latentState(LATHE_STACK_FLOATS(stateFloats(latent_queries, c.kv_lora_rank)), c);
  auto attendRows = [&](int64_t slot, int64_t first, int64_t last) LATHE_BODY {
    int64_t pairs = (last - first) * p.num_heads;
    for (int64_t pair = 0; pair < pairs; pair += latent_queries) {
      LatentQueries q = {smaller(latent_queries, pairs - pair), {}, i32x16{} - 1};
      int64_t keys = 0;
      for (int64_t i = 0; i < q.count; ++i) {
        int64_t t = first + (pair + i) / p.num_heads, h = (pair + i) % p.num_heads;
        q.query[i] = query + t * p.query_stride + h * width;
        q.last[i] = positions[t];
        keys = larger(keys, int64_t{positions[t]} + 1);
      }
      withLatentForm(c, [&](auto &form) LATHE_BODY {
        startState(state, c);
        form.takeQueries(q);
        form.attend(q, {cache + slot * latentSlotBytes(c), 0, keys, keys},
                    bitsFloat(p.softmax_scale), state);
      });
      storeResults(p, first, pair, q, state, result);
    }
  };
  for (int64_t item = begin; item < end; ++item)
    eachSegment(slots, item * p.rows_per_item, smaller(frame->rows, (item + 1) * p.rows_per_item),
                attendRows);
}

LATHE_X86_DEFINE(mla_piece)
(const Frame *frame, const int64_t *operands, const MlaPieceParams *params, int64_t begin,
 int64_t end) {
  const MlaPieceParams &p = *params;
  const LatentCacheParams &c = p.cache;
  const float *query = resolve<float>(frame, operands[MlaPieceOperand::query]);
  char *cache = resolve<char>(frame, operands[MlaPieceOperand::cache]);
  float *scratch = resolve<float>(frame, operands[MlaPieceOperand::scratch]);
  int32_t slot = *reinterpret_cast<const int32_t *>(frame->buffers[Buffer::slots]);
  Pieces pieces = mlaPieces(p);
  int64_t width = c.kv_lora_rank + c.rope_dim;
  withLatentForm(c, [&](auto &form) LATHE_BODY {
    int64_t taken = -1; // neighbours share their queries where there are 16 heads or fewer
    for (int64_t i = begin; i < end; ++i) {
      PieceItem item = pieceItem(pieces, i, frame->context);
      LatentQueries q = {item.heads, {}, i32x16{} + static_cast<int32_t>(frame->context - 1)};
      for (int64_t head = 0; head < q.count; ++head)
        q.query[head] = query + (item.head + head) * width;
      if (taken != item.head)
        form.takeQueries(q);
      taken = item.head;
      LatentState state = latentState(scratch + i * stateFloats(pieces), c);
      startState(state, c);
      form.attend(q, {cache + slot * latentSlotBytes(c), item.begin, item.end, frame->context},
                  bitsFloat(p.softmax_scale), state);
    }
  });
}

// Keys and values of a head, expanded from latents a block at a time.
class ExpandedKeys {
public:
  static constexpr int64_t memoryFloats(const MlaMaterialisedParams &p) {
    return flash_keys * (latentStride(p) + keyStride(p) + keyDim(p) + valueStride(p)) + 16;
  }
  static constexpr int64_t keyDim(const MlaMaterialisedParams &p) {
    return p.key_weight.n + p.cache.rope_dim;
  }

  LATHE_INLINE ExpandedKeys(const MlaMaterialisedParams &params, float *memory)
      : p(params), rows_(memory), values_(rows_ + flash_keys * keyStride(p)),
        keys_(values_ + flash_keys * valueStride(p)), latents_(keys_ + flash_keys * keyDim(p)) {}

  LATHE_INLINE FlashKeys at(const char *slot, int64_t start, int64_t count, const char *key_weight,
                            const char *value_weight) const {
    const LatentCacheParams &c = p.cache;
    latentRows(slot, c, start, count, latentStride(p), p.may_round, latents_);
    expand(count, key_weight, value_weight);
    transposeKeys(rows_, keyStride(p), 0, p.key_weight.n, count, keyDim(p), 0, keys_);
    transposeKeys(latents_, latentStride(p), c.kv_lora_rank, c.kv_lora_rank + c.rope_dim, count,
                  keyDim(p), p.key_weight.n, keys_);
    return {keys_, values_, valueStride(p)};
  }

private:
  static constexpr int64_t latentStride(const MlaMaterialisedParams &p) {
    return latentPieces(p.cache) * latent_columns;
  }
  static constexpr int64_t keyStride(const MlaMaterialisedParams &p) {
    return roundUp(p.key_weight.n, 16);
  }
  static constexpr int64_t valueStride(const MlaMaterialisedParams &p) {
    return roundUp(p.value_weight.n, 16);
  }
  // Then one product has both, and converts its rows once.
  static constexpr bool isOneProduct(const WeightParams &a, const WeightParams &b) {
    return a.n == b.n && a.k == b.k && a.format == b.format && a.scale_mode == b.scale_mode &&
           a.scale_block_k == b.scale_block_k && a.tile_bytes == b.tile_bytes;
  }

  LATHE_INLINE void expand(int64_t count, const char *key_weight, const char *value_weight) const {
    XRows rows = {latents_, nullptr, nullptr, 1};
    bool rounded = p.may_round || p.cache.format == Format::bf16;
    XParams xp = {rounded ? Activations::bf16 : Activations::f32, latentStride(p), 0, 0,
                  RowsIn::f32};
    const char *stacks[2] = {key_weight, value_weight};
    auto key = [&](int64_t i, int64_t tile, const f32x16 *totals)
                   LATHE_BODY { store16(rows_ + i * keyStride(p) + tile * 16, totals[0]); };
    auto value = [&](int64_t i, int64_t tile, const f32x16 *totals)
                     LATHE_BODY { store16(values_ + i * valueStride(p) + tile * 16, totals[0]); };
    auto both = [&](int64_t i, int64_t tile, const f32x16 *totals) LATHE_BODY {
      key(i, tile, totals);
      value(i, tile, totals + 1);
    };
    const WeightParams &kw = p.key_weight, &vw = p.value_weight;
    if (isOneProduct(kw, vw)) {
      manyRows<2>(rows, count, stacks, 0, tileCount(kw.n), kw, xp, both);
    } else {
      manyRows<1>(rows, count, stacks, 0, tileCount(kw.n), kw, xp, key);
      manyRows<1>(rows, count, stacks + 1, 0, tileCount(vw.n), vw, xp, value);
    }
  }

  const MlaMaterialisedParams &p;
  float *rows_; // of keys, without their rotated part
  float *values_;
  float *keys_;
  float *latents_; // the last, since 15 floats more are read
};

template <typename Form>
static LATHE_INLINE void attendExpanded(const Frame *frame, const int64_t *operands,
                                        const MlaMaterialisedParams &p, int64_t begin,
                                        int64_t end) {
  const float *query = resolve<float>(frame, operands[MlaMaterialisedOperand::query]);
  char *cache = resolve<char>(frame, operands[MlaMaterialisedOperand::cache]);
  const char *key_weight = resolve<char>(frame, operands[MlaMaterialisedOperand::key_weight]);
  const char *value_weight = resolve<char>(frame, operands[MlaMaterialisedOperand::value_weight]);
  StoredRows result = {resolve<char>(frame, operands[MlaMaterialisedOperand::result]), p.result_in,
                       p.result_stride, p.num_heads * p.value_weight.n};
  const int32_t *slots = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::slots]);
  const int32_t *positions = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::positions]);
  int64_t width = ExpandedKeys::keyDim(p), value_dim = p.value_weight.n;
  FlashShape shape = {width, value_dim, bitsFloat(p.softmax_scale), 0};
  float *memory = LATHE_STACK_FLOATS(Form::memoryFloats(p.rows_per_item, shape));
  ExpandedKeys expanded(p, LATHE_STACK_FLOATS(ExpandedKeys::memoryFloats(p)));
  for (int64_t item = begin; item < end; ++item) {
    int64_t head = item % p.num_heads, block = item / p.num_heads * p.rows_per_item;
    auto attendRows = [&](int64_t slot, int64_t first, int64_t last) LATHE_BODY {
      auto keysAt = [&](int64_t start, int64_t count) LATHE_BODY {
        return expanded.at(cache + slot * latentSlotBytes(p.cache), start, count,
                           key_weight + head * p.key_weight.matrix_bytes,
                           value_weight + head * p.value_weight.matrix_bytes);
      };
      auto rowAt = [&](int64_t i) LATHE_BODY {
        int64_t t = first + i;
        return FlashRow{query + t * p.query_stride + head * width, t, head * value_dim, 0,
                        positions[t]};
      };
      flash<Form>(last - first, shape, memory, result, rowAt, keysAt);
    };
    eachSegment(slots, block, smaller(frame->rows, block + p.rows_per_item), attendRows);
  }
}

LATHE_X86_DEFINE(mla_materialised)
(const Frame *frame, const int64_t *operands, const MlaMaterialisedParams *params, int64_t begin,
 int64_t end) {
  if (params->may_round)
    attendExpanded<FlashRounded>(frame, operands, *params, begin, end);
  else
    attendExpanded<FlashF32>(frame, operands, *params, begin, end);
}
