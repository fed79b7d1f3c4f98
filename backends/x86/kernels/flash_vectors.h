// Attention of many rows in f32 vectors. Rows of queries are copied side by side: where they lie,
// strides of a power of two put them into the same few lines of L1.
//
// Bound: (key_dim + value_dim) / 16 vector FMAs a row and key, two a cycle with 16 lanes. A
// register tile of 12 x 2 vectors loads 14 for 24 FMAs, one of 6 x 1 (two registers each) 8 for 12,
// both less than the two loads a cycle that a core has.
#pragma once

#include "backends/x86/kernels/flash_rows.h"
#include "backends/x86/kernels/register_tile.h"

namespace lathe::x86 {

class FlashVectors {
  static constexpr int rows = LATHE_X86_WIDE ? 12 : 6; // a register tile: rows x vectors
  static constexpr int vectors = LATHE_X86_WIDE ? 2 : 1;

public:
  static constexpr int64_t queryFloats(int64_t count, const FlashShape &shape) {
    return count * queryStride(shape);
  }
  static constexpr int64_t memoryFloats(int64_t count, const FlashShape &shape) {
    return queryFloats(count, shape) +
           (shape.keys_per_piece ? 2 : 1) * stateFloats(count, shape.value_dim);
  }

  LATHE_INLINE FlashVectors(int64_t count, const FlashShape &shape, float *memory)
      : FlashVectors(count, shape, memory,
                     startState(memory + queryFloats(count, shape), count, shape.value_dim)) {
    if (shape.keys_per_piece)
      before_ =
          startState(state_.sums + stateFloats(count, shape.value_dim), count, shape.value_dim);
  }
  // One piece, whose running results stay in `state`.
  LATHE_INLINE FlashVectors(int64_t count, const FlashShape &shape, float *queries,
                            const FlashState &state)
      : count_(count), shape_(shape), queries_(queries), state_(state) {}

  LATHE_INLINE void takeRow(int64_t i, const FlashRow &row) {
    for (int64_t j = 0; j < shape_.key_dim; j += 16)
      store16(queries_ + i * queryStride(shape_) + j,
              loadSome(row.query + j, shape_.key_dim - j) * (shape_.scale * log2_e));
  }

  // Comes before each block but the first.
  LATHE_INLINE void beginBlock(int64_t start) {
    if (shape_.keys_per_piece && start % shape_.keys_per_piece == 0) {
      endPiece();
      startState(state_.sums, count_, shape_.value_dim);
    }
  }

  template <typename RowAt>
  LATHE_INLINE void attendBlock(const FlashKeys &block, int64_t start, int64_t keys, RowAt rowAt) {
    int64_t i = 0;
    for (; i + rows <= count_; i += rows)
      attendRows<rows>(i, block, start, keys, rowAt);
    for (; i + 4 <= count_; i += 4)
      attendRows<4>(i, block, start, keys, rowAt);
    for (; i < count_; ++i)
      attendRows<1>(i, block, start, keys, rowAt);
  }

  template <typename RowAt> LATHE_INLINE void finish(RowAt rowAt, const StoredRows &result) {
    if (shape_.keys_per_piece)
      endPiece();
    const FlashState &all = shape_.keys_per_piece ? before_ : state_;
    for (int64_t i = 0; i < count_; ++i)
      storeResult(all, i, shape_.value_dim, rowAt(i), result);
  }

private:
  static constexpr int64_t queryStride(const FlashShape &shape) {
    return roundUp(shape.key_dim, 16) + 16;
  }
  // The running sums join those of the pieces before.
  LATHE_INLINE void endPiece() {
    int64_t stride = sumStride(shape_.value_dim);
    for (int64_t i = 0; i < count_; ++i) {
      PieceStep step =
          addPiece(state_.largest[i], state_.total[i], before_.largest[i], before_.total[i]);
      for (int64_t j = i * stride; j < i * stride + shape_.value_dim; j += 16)
        store16(before_.sums + j, step.add(load16(before_.sums + j), load16(state_.sums + j)));
    }
  }

  // One row has registers left for more vectors.
  static constexpr int vectorsFor(int count) { return count == 1 ? 4 : vectors; }

  // R rows from i on; those keys that none of them sees are left out.
  template <int R, typename RowAt>
  LATHE_INLINE void attendRows(int64_t i, const FlashKeys &block, int64_t start, int64_t keys,
                               RowAt rowAt) {
    alignas(64) float scores[R][flash_keys];
    int32_t first[R], last[R];
    int64_t oldest = INT64_MAX, newest = -1;
    for (int r = 0; r < R; ++r) {
      FlashRow row = rowAt(i + r);
      first[r] = static_cast<int32_t>(row.first);
      last[r] = static_cast<int32_t>(row.last);
      oldest = smaller(oldest, row.first);
      newest = larger(newest, row.last);
    }
    int64_t seen = smaller(keys, newest + 1 - start);
    if (seen <= 0 || start + seen <= oldest)
      return;
    float shrink[R];
    scoresOf<R>(i, block.keys, ceilDiv(seen, 16), scores);
    for (int r = 0; r < R; ++r)
      shrink[r] = probabilities(scores[r], ceilDiv(seen, 16), start, first[r], last[r], i + r);
    sumsOf<R>(i, scores, shrink, block, seen);
  }

  template <int R>
  LATHE_INLINE void scoresOf(int64_t i, const float *keys, int64_t tiles,
                             float (*scores)[flash_keys]) {
    constexpr int T = vectorsFor(R);
    int64_t tile = 0;
    for (; tile + T <= tiles; tile += T)
      scoreTile<R, T>(i, keys, tile, scores);
    for (; T > 1 && tile < tiles; ++tile)
      scoreTile<R, 1>(i, keys, tile, scores);
  }

  template <int R, int T>
  LATHE_INLINE void scoreTile(int64_t i, const float *keys, int64_t tile,
                              float (*scores)[flash_keys]) {
    f32x16 sums[R][T] = {};
    registerTile<R, T>(queries_ + i * queryStride(shape_), queryStride(shape_),
                       keys + tile * shape_.key_dim * 16, 16, shape_.key_dim * 16, shape_.key_dim,
                       sums);
    for (int r = 0; r < R; ++r)
      for (int t = 0; t < T; ++t)
        store16(scores[r] + (tile + t) * 16, sums[r][t]);
  }

  // Scores of a row to probabilities relative to its new maximum; returns what its sums so far
  // shrink by.
  LATHE_INLINE float probabilities(float *scores, int64_t tiles, int64_t start, int32_t first,
                                   int32_t last, int64_t row) {
    f32x16 top = splat(state_.largest[row]);
    for (int64_t t = 0; t < tiles; ++t) {
      f32x16 seen = seenScores(load16(scores + t * 16), start + t * 16, first, last);
      store16(scores + t * 16, seen);
      top = maximum(top, seen);
    }
    float now = maxLanes(top);
    float base = softmaxBase(now);
    f32x16 sum = {};
    for (int64_t t = 0; t < tiles; ++t) {
      f32x16 p = powerOfTwo(load16(scores + t * 16) - base);
      store16(scores + t * 16, p);
      sum += p;
    }
    float shrink = powerOfTwo(splat(state_.largest[row] - base))[0];
    state_.total[row] = fma(state_.total[row], shrink, sumLanes(sum));
    state_.largest[row] = now;
    return shrink;
  }

  template <int R>
  LATHE_INLINE void sumsOf(int64_t i, const float (*scores)[flash_keys], const float *shrink,
                           const FlashKeys &block, int64_t keys) {
    constexpr int T = vectorsFor(R);
    int64_t columns = roundUp(shape_.value_dim, 16), column = 0;
    for (; column + T * 16 <= columns; column += T * 16)
      sumTile<R, T>(i, scores, shrink, block, keys, column);
    for (; T > 1 && column < columns; column += 16)
      sumTile<R, 1>(i, scores, shrink, block, keys, column);
  }

  template <int R, int T>
  LATHE_INLINE void sumTile(int64_t i, const float (*scores)[flash_keys], const float *shrink,
                            const FlashKeys &block, int64_t keys, int64_t column) {
    int64_t stride = sumStride(shape_.value_dim);
    float *sums = state_.sums + i * stride + column;
    f32x16 result[R][T];
    for (int r = 0; r < R; ++r)
      for (int t = 0; t < T; ++t)
        result[r][t] = load16(sums + r * stride + t * 16) * shrink[r];
    registerTile<R, T>(scores[0], flash_keys, block.values + column, block.value_stride, 16, keys,
                       result);
    for (int r = 0; r < R; ++r)
      for (int t = 0; t < T; ++t)
        store16(sums + r * stride + t * 16, result[r][t]);
  }

  int64_t count_;
  const FlashShape &shape_;
  float *queries_;         // scaled, so that scores are powers of two
  FlashState state_;       // of the piece that is summed up
  FlashState before_ = {}; // of the pieces before it
};

} // namespace lathe::x86
