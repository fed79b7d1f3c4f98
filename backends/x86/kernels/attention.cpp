#include "backends/x86/kernels/attention.h"

#include "backends/x86/kernels/flash.h"

using namespace lathe::x86;

// A slot's and KV head's part of a cache.
static LATHE_INLINE char *cachePart(char *cache, const KvCacheParams &c, int64_t slot,
                                    int64_t head) {
  return cache + (slot * c.kv_heads + head) * roundUp(kvKeyBytes(c) + kvValueBytes(c), 64);
}

static LATHE_INLINE void writeKey(char *part, const KvCacheParams &c, int64_t position,
                                  const float *key) {
  int64_t bytes = formatBytes(c.format), lane = lanePlace(c.format, position % 16);
  char *tile = part + position / 16 * 16 * c.key_dim * bytes;
  for (int64_t d = 0; d < c.key_dim; ++d)
    encodeOne(tile + (d * 16 + lane) * bytes, c.format, key[d]);
}

LATHE_X86_DEFINE(attention_write)
(const Frame *frame, const int64_t *operands, const AttentionWriteParams *params, int64_t begin,
 int64_t end) {
  const AttentionWriteParams &p = *params;
  const KvCacheParams &c = p.cache;
  const float *key = resolve<float>(frame, operands[AttentionWriteOperand::key]);
  const float *value = resolve<float>(frame, operands[AttentionWriteOperand::value]);
  char *cache = resolve<char>(frame, operands[AttentionWriteOperand::cache]);
  const int32_t *slots = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::slots]);
  const int32_t *positions = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::positions]);
  for (int64_t head = begin; head < end; ++head)
    for (int64_t t = 0; t < frame->rows; ++t) {
      char *part = cachePart(cache, c, slots[t], head);
      writeKey(part, c, positions[t], key + t * p.key_stride + head * c.key_dim);
      const float *from = value + t * p.value_stride + head * c.value_dim;
      char *to =
          part + kvKeyBytes(c) + positions[t] * roundUp(c.value_dim, 16) * formatBytes(c.format);
      for (int64_t j = 0; j < c.value_dim; j += 16)
        encode(to + j * formatBytes(c.format), c.format, loadSome(from + j, c.value_dim - j));
    }
}

static LATHE_INLINE void convert(const char *from, int64_t format, int64_t vectors, float *to) {
  for (int64_t i = 0; i < vectors; ++i)
    store16(to + i * 16, decode(from + i * 16 * formatBytes(format), format));
}

// A block of a cache's keys and values: where it lies if that is f32, else converted.
struct CachedKeys {
  const KvCacheParams &c;
  float *keys; // [floats(c)], values behind keys
  float *values;

  LATHE_INLINE CachedKeys(const KvCacheParams &c, float *memory)
      : c(c), keys(memory), values(memory + keyFloats(c)) {}
  static constexpr int64_t keyFloats(const KvCacheParams &c) {
    return c.format == Format::f32 ? 0 : flash_keys * c.key_dim;
  }
  static constexpr int64_t floats(const KvCacheParams &c) {
    return c.format == Format::f32 ? 16 : keyFloats(c) + flash_keys * roundUp(c.value_dim, 16);
  }
  LATHE_INLINE FlashKeys at(const char *part, int64_t start, int64_t count) const {
    int64_t value_stride = roundUp(c.value_dim, 16), bytes = formatBytes(c.format);
    const char *k = part + start * c.key_dim * bytes;
    const char *v = part + kvKeyBytes(c) + start * value_stride * bytes;
    if (c.format == Format::f32)
      return {reinterpret_cast<const float *>(k), reinterpret_cast<const float *>(v), value_stride};
    convert(k, c.format, ceilDiv(count, 16) * c.key_dim, keys);
    convert(v, c.format, count * value_stride / 16, values);
    return {keys, values, value_stride};
  }
};

// (row, head) pairs that share a pass over the keys.
static constexpr int64_t sharedPass(const AttentionParams &p) {
  return smaller<int64_t>(256, p.rows_per_item * (p.num_heads / p.cache.kv_heads));
}

template <typename Form>
static LATHE_INLINE void attendIn(const Frame *frame, const int64_t *operands,
                                  const AttentionParams &p, int64_t begin, int64_t end) {
  const KvCacheParams &c = p.cache;
  const float *query = resolve<float>(frame, operands[AttentionOperand::query]);
  char *cache = resolve<char>(frame, operands[AttentionOperand::cache]);
  StoredRows result = {resolve<char>(frame, operands[AttentionOperand::result]), p.result_in,
                       p.result_stride, p.num_heads * c.value_dim};
  const int32_t *slots = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::slots]);
  const int32_t *positions = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::positions]);
  int64_t group = p.num_heads / c.kv_heads;
  FlashShape shape = {c.key_dim, c.value_dim, bitsFloat(p.softmax_scale),
                      p.keys_per_piece < c.max_context ? p.keys_per_piece : 0};
  float *memory = LATHE_STACK_FLOATS(Form::memoryFloats(sharedPass(p), shape));
  CachedKeys cached(c, LATHE_STACK_FLOATS(CachedKeys::floats(c)));
  for (int64_t item = begin; item < end; ++item) {
    int64_t head = item % c.kv_heads, block = item / c.kv_heads * p.rows_per_item;
    auto attendRows = [&](int64_t slot, int64_t first, int64_t last) LATHE_BODY {
      const char *part = cachePart(cache, c, slot, head);
      int64_t pairs = (last - first) * group;
      auto keysAt = [&](int64_t start, int64_t count)
                        LATHE_BODY { return cached.at(part, start, count); };
      for (int64_t pair = 0; pair < pairs; pair += sharedPass(p)) {
        auto rowAt = [&](int64_t i) LATHE_BODY {
          int64_t t = first + (pair + i) / group, h = head * group + (pair + i) % group,
                  position = positions[t];
          int64_t oldest = p.window && position >= p.window ? position - p.window + 1 : 0;
          return FlashRow{query + t * p.query_stride + h * c.key_dim, t, h * c.value_dim, oldest,
                          position};
        };
        flash<Form>(smaller(sharedPass(p), pairs - pair), shape, memory, result, rowAt, keysAt);
      }
    };
    eachSegment(slots, block, smaller(frame->rows, block + p.rows_per_item), attendRows);
  }
}

LATHE_X86_DEFINE(attention)
(const Frame *frame, const int64_t *operands, const AttentionParams *params, int64_t begin,
 int64_t end) {
  if (params->may_round)
    attendIn<FlashRounded>(frame, operands, *params, begin, end);
  else if (params->cache.format == Format::bf16)
    attendIn<FlashBf16Keys>(frame, operands, *params, begin, end);
  else
    attendIn<FlashF32>(frame, operands, *params, begin, end);
}

// One row is too little to cut keys into terms for, so vectors take it on every level.
LATHE_X86_DEFINE(attention_piece)
(const Frame *frame, const int64_t *operands, const AttentionPieceParams *params, int64_t begin,
 int64_t end) {
  const AttentionPieceParams &p = *params;
  const KvCacheParams &c = p.cache;
  const float *query = resolve<float>(frame, operands[AttentionPieceOperand::query]);
  char *cache = resolve<char>(frame, operands[AttentionPieceOperand::cache]);
  float *scratch = resolve<float>(frame, operands[AttentionPieceOperand::scratch]);
  int32_t slot = *reinterpret_cast<const int32_t *>(frame->buffers[Buffer::slots]);
  Pieces pieces = attentionPieces(p);
  FlashShape shape = {c.key_dim, c.value_dim, bitsFloat(p.softmax_scale), 0};
  float *queries = LATHE_STACK_FLOATS(FlashVectors::queryFloats(pieces.heads_per_item, shape));
  CachedKeys cached(c, LATHE_STACK_FLOATS(CachedKeys::floats(c)));
  int64_t first = firstPiece(pieces, frame->context) * itemsOfPiece(pieces);
  for (int64_t i = larger(begin, first); i < end; ++i) {
    PieceItem item = pieceItem(pieces, i, frame->context);
    const char *part = cachePart(cache, c, slot, item.key_head);
    int64_t oldest = larger(item.begin, oldestKey(pieces, frame->context));
    auto rowAt = [&](int64_t row) LATHE_BODY {
      return FlashRow{query + (item.head + row) * c.key_dim, 0, 0, oldest, item.end - 1};
    };
    auto keysAt = [&](int64_t start, int64_t count)
                      LATHE_BODY { return cached.at(part, start, count); };
    FlashVectors form(
        item.heads, shape, queries,
        startState(scratch + i * stateFloats(pieces), pieces.heads_per_item, c.value_dim));
    attendAll(form, item.heads, rowAt, keysAt);
  }
}
