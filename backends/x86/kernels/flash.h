// Attention over blocks of keys with an online softmax (FlashAttention-2): what all attention
// kernels share. A row's result depends on its own query and keys alone: blocks stand at multiples
// of Keys, and a block in which a row sees nothing changes nothing.
#pragma once

#include "backends/x86/kernels/function.h"
#include "backends/x86/kernels/number.h"

namespace lathe::x86 {

constexpr int flash_rows = LATHE_X86_WIDE ? 8 : 6;

// A row of queries: it sees the keys first <= s <= last.
struct FlashRow {
  const float *query;
  float *result;
  int64_t first;
  int64_t last;
};

// What a block of keys is: tiles [key_dim][16], one after the other, and a row of values for each
// key.
struct FlashKeys {
  const float *keys;
  const float *values;
  int64_t value_stride;
};

struct FlashShape {
  int64_t key_dim;
  int64_t value_dim;
  float scale;
};

// Running results of `count` rows: sums [count][value_dim rounded up to 16], maxima and
// denominators.
struct FlashState {
  float *sums;
  float *largest;
  float *total;
};
constexpr int64_t flashStateFloats(int64_t rows, int64_t value_dim) {
  return rows * (roundUp(value_dim, 16) + 2);
}
LATHE_INLINE FlashState flashState(float *memory, int64_t rows, int64_t value_dim) {
  float *behind = memory + rows * roundUp(value_dim, 16);
  return {memory, behind, behind + rows};
}

// sums[r][t] += x[r][k] * w[t][k] over `length` k
template <int R, int T>
LATHE_INLINE void rowsTimes(const float *const *x, const float *w, int64_t w_stride,
                            int64_t tile_stride, int64_t length, f32x16 (&sums)[R][T]) {
  for (int64_t k = 0; k < length; ++k)
    for (int t = 0; t < T; ++t) {
      f32x16 weight = load16(w + t * tile_stride + k * w_stride);
      for (int r = 0; r < R; ++r)
        sums[r][t] = fma(splat(x[r][k]), weight, sums[r][t]);
    }
}

constexpr i32x16 lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// scores[r][tile * 16 ..] of tiles [tile, tile + T); keys that a row does not see are -infinity.
template <int R, int T, int Keys>
LATHE_INLINE void scoreTiles(const FlashRow *rows, const FlashShape &shape, const float *keys,
                             int64_t block, int64_t tile, float (*scores)[Keys]) {
  const float *queries[R];
  for (int r = 0; r < R; ++r)
    queries[r] = rows[r].query;
  f32x16 sums[R][T] = {};
  rowsTimes<R, T>(queries, keys + tile * shape.key_dim * 16, 16, shape.key_dim * 16, shape.key_dim,
                  sums);
  for (int r = 0; r < R; ++r)
    for (int t = 0; t < T; ++t) {
      i32x16 place = lane_numbers + static_cast<int32_t>(block + (tile + t) * 16);
      i32x16 seen = (place >= static_cast<int32_t>(rows[r].first)) &
                    (place <= static_cast<int32_t>(rows[r].last));
      store16(scores[r] + (tile + t) * 16,
              seen ? sums[r][t] * shape.scale : splat(-__builtin_inff()));
    }
}

// Scores to probabilities relative to the new maximum; returns what the sums so far shrink by.
template <int Keys>
LATHE_INLINE float probabilities(float *scores, int64_t tiles, float &largest, float &total) {
  f32x16 top = splat(largest);
  for (int64_t t = 0; t < tiles; ++t)
    top = maximum(top, load16(scores + t * 16));
  float now = maxLanes(top);
  float base = now == -__builtin_inff() ? 0.0f : now; // nothing seen yet: all probabilities are 0
  f32x16 sum = {};
  for (int64_t t = 0; t < tiles; ++t) {
    f32x16 p = exponential(load16(scores + t * 16) - base);
    store16(scores + t * 16, p);
    sum += p;
  }
  float shrink = exponential(largest - base);
  total = fma(total, shrink, sumLanes(sum));
  largest = now;
  return shrink;
}

template <int R, int T, int Keys>
LATHE_INLINE void addValues(const float (*scores)[Keys], const float *shrink,
                            const FlashKeys &block, int64_t keys, int64_t column,
                            int64_t sum_stride, float *sums) {
  const float *weights[R];
  f32x16 result[R][T];
  for (int r = 0; r < R; ++r) {
    weights[r] = scores[r];
    for (int t = 0; t < T; ++t)
      result[r][t] = load16(sums + r * sum_stride + column + t * 16) * shrink[r];
  }
  rowsTimes<R, T>(weights, block.values + column, block.value_stride, 16, keys, result);
  for (int r = 0; r < R; ++r)
    for (int t = 0; t < T; ++t)
      store16(sums + r * sum_stride + column + t * 16, result[r][t]);
}

// R rows (from `first_row` of the state) and one block of `keys` keys, Keys at most.
template <int R, int T, int Keys>
LATHE_INLINE void flashTile(const FlashRow *rows, int64_t first_row, const FlashShape &shape,
                            const FlashKeys &block, int64_t start, int64_t keys,
                            const FlashState &state) {
  alignas(64) float scores[R][Keys];
  float shrink[R];
  int64_t tiles = ceilDiv(keys, 16), tile = 0, column = 0, stride = roundUp(shape.value_dim, 16);
  for (; tile + T <= tiles; tile += T)
    scoreTiles<R, T, Keys>(rows, shape, block.keys, start, tile, scores);
  for (; T > 1 && tile < tiles; ++tile)
    scoreTiles<R, 1, Keys>(rows, shape, block.keys, start, tile, scores);
  for (int r = 0; r < R; ++r)
    shrink[r] = probabilities<Keys>(scores[r], tiles, state.largest[first_row + r],
                                    state.total[first_row + r]);
  float *sums = state.sums + first_row * stride;
  for (; column + T * 16 <= stride; column += T * 16)
    addValues<R, T, Keys>(scores, shrink, block, keys, column, stride, sums);
  for (; T > 1 && column < stride; column += 16)
    addValues<R, 1, Keys>(scores, shrink, block, keys, column, stride, sums);
}

// All of it for `count` rows of one slot. rowAt(i) gives a FlashRow; keysAt(start, keys) the block
// of keys [start, start + keys).
template <int Keys, typename RowAt, typename KeysAt>
LATHE_INLINE void flash(int64_t count, const FlashShape &shape, const FlashState &state,
                        RowAt rowAt, KeysAt keysAt) {
  constexpr int R = flash_rows;
  int64_t stride = roundUp(shape.value_dim, 16), first = INT64_MAX, last = -1;
  for (int64_t i = 0; i < count; ++i) {
    FlashRow row = rowAt(i);
    first = smaller(first, row.first);
    last = larger(last, row.last);
    state.largest[i] = -__builtin_inff();
    state.total[i] = 0;
    for (int64_t j = 0; j < stride; j += 16)
      store16(state.sums + i * stride + j, f32x16{});
  }
  for (int64_t start = first / Keys * Keys; start <= last; start += Keys) {
    int64_t keys = smaller<int64_t>(Keys, last + 1 - start), i = 0;
    FlashKeys block = keysAt(start, keys);
    for (; i + R <= count; i += R) {
      FlashRow rows[R];
      for (int r = 0; r < R; ++r)
        rows[r] = rowAt(i + r);
      flashTile<R, 1, Keys>(rows, i, shape, block, start, keys, state);
    }
    for (; i < count; ++i) {
      FlashRow row = rowAt(i);
      flashTile<1, 4, Keys>(&row, i, shape, block, start, keys, state);
    }
  }
  for (int64_t i = 0; i < count; ++i) {
    float *result = rowAt(i).result;
    for (int64_t j = 0; j < shape.value_dim; j += 16)
      storeSome(result + j, load16(state.sums + i * stride + j) / state.total[i],
                shape.value_dim - j);
  }
}

// Runs of rows [begin, end) that share a slot: body(slot, first, last + 1).
template <typename Body>
LATHE_INLINE void eachSegment(const int32_t *slots, int64_t begin, int64_t end, Body body) {
  for (int64_t first = begin; first < end;) {
    int64_t last = first + 1;
    while (last < end && slots[last] == slots[first])
      ++last;
    body(static_cast<int64_t>(slots[first]), first, last);
    first = last;
  }
}

// Scratch on the stack whose size is a constant once the kernel is inlined.
#define LATHE_STACK_FLOATS(count)                                                                  \
  static_cast<float *>(__builtin_alloca_with_align(static_cast<size_t>(count) * 4, 512))

} // namespace lathe::x86
