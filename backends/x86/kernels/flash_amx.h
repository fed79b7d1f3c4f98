// Attention of many rows on AMX, which multiplies bf16. An f32 is three bf16 terms exactly
// (bf16_terms.h) and six of the nine products of two are made; latent_amx.h has the bound of what
// is left out, about what f32 sums lose. Keys and values that are bf16 numbers are one term, and
// three products are all there are. Where all factors may be rounded to bf16 there is one.
//
// Scores are Q K^T, sums are P V. Rows of queries and of probabilities are rows of A: the pairs
// along a row are the columns j and j + 16 of 32, one shift and one select. Keys come as columns,
// values as rows, so that both are B with the same pairing: nothing is transposed here. A block's
// keys and values are cut once for all rows.
//
// Bound: a product of tiles is 16 cycles for 16 x 16 x 32. Of 16 rows and 64 keys of 192 columns
// with 128 values: 144 for scores and 96 for sums, 3840 cycles, 3.75 a row and key; FMAs of 16
// lanes would take 10. Softmax is some 60 vector instructions a row and 16 keys beside it.
#pragma once

#include "backends/x86/kernels/amx.h"
#include "backends/x86/kernels/flash_rows.h"

#if LATHE_X86_AMX
namespace lathe::x86 {

// The maxima of the lanes of each of 16 vectors.
LATHE_INLINE f32x16 maximumOfEach(f32x16 (&v)[16]) {
  u32x16 square[16];
  for (int i = 0; i < 16; ++i)
    square[i] = __builtin_bit_cast(u32x16, v[i]);
  transpose16(square);
  for (int i = 0; i < 16; ++i)
    v[i] = __builtin_bit_cast(f32x16, square[i]);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i)
      v[i] = maximum(v[i], v[i + half]);
  return v[0];
}

// QueryTerms: of queries and probabilities, KeyTerms: of keys and values; 1 and 1 round both.
template <int QueryTerms, int KeyTerms> class FlashAmx {
  static constexpr int64_t key_tiles = flash_keys / 16, key_steps = flash_keys / 32;
  static constexpr int64_t a_bytes = QueryTerms * amx_tile_bytes,
                           b_bytes = KeyTerms * amx_tile_bytes;

public:
  static constexpr int64_t memoryFloats(int64_t count, const FlashShape &shape) {
    int64_t tiles = ceilDiv(count, 16);
    return (tiles * querySteps(shape) * a_bytes +
            (key_tiles * querySteps(shape) + key_steps * valueTiles(shape)) * b_bytes) /
               4 +
           stateFloats(tiles * 16, shape.value_dim) + tiles * 32;
  }

  LATHE_INLINE FlashAmx(int64_t count, const FlashShape &shape, float *memory)
      : count_(count), tiles_(ceilDiv(count, 16)), shape_(shape),
        queries_(reinterpret_cast<char *>(memory)),
        keys_(queries_ + tiles_ * querySteps(shape) * a_bytes),
        values_(keys_ + key_tiles * querySteps(shape) * b_bytes) {
    float *behind = reinterpret_cast<float *>(values_ + key_steps * valueTiles(shape) * b_bytes);
    state_ = startState(behind, tiles_ * 16, shape.value_dim);
    first_ = reinterpret_cast<int32_t *>(behind + stateFloats(tiles_ * 16, shape.value_dim));
    last_ = first_ + tiles_ * 16;
  }

  // Rows behind the last one of a tile are its copies, and nobody reads their sums.
  LATHE_INLINE void takeRow(int64_t i, const FlashRow &row) {
    for (int64_t here = i, end = i + 1 == count_ ? tiles_ * 16 : i + 1; here < end; ++here) {
      first_[here] = static_cast<int32_t>(row.first);
      last_[here] = static_cast<int32_t>(row.last);
      char *to = queries_ + here / 16 * querySteps(shape_) * a_bytes + here % 16 * tile_row_bytes;
      for (int64_t j = 0; j < shape_.key_dim; j += 32, to += a_bytes)
        storeA(scaled(row.query + j, shape_.key_dim - j),
               scaled(row.query + j + 16, shape_.key_dim - j - 16), to);
    }
  }

  // A row of a decode step, which goes by vectors, has other last bits in any case.
  LATHE_INLINE void beginBlock(int64_t) {}

  template <typename RowAt>
  LATHE_INLINE void attendBlock(const FlashKeys &block, int64_t start, int64_t keys, RowAt) {
    TileConfig config;
    config.set(0, 7, 16);
    configureTiles(config);
    takeKeys(block.keys, ceilDiv(keys, 16));
    takeValues(block, keys);
    attendGroups(start);
    releaseTiles();
  }

  template <typename RowAt> LATHE_INLINE void finish(RowAt rowAt, const StoredRows &result) {
    for (int64_t i = 0; i < count_; ++i)
      storeResult(state_, i, shape_.value_dim, rowAt(i), result);
  }

private:
  static constexpr int64_t querySteps(const FlashShape &shape) {
    return ceilDiv(shape.key_dim, 32);
  }
  static constexpr int64_t valueTiles(const FlashShape &shape) { // an even number
    return roundUp(shape.value_dim, 32) / 16;
  }

  LATHE_INLINE f32x16 scaled(const float *query, int64_t left) {
    return left > 0 ? loadSome(query, left) * (shape_.scale * log2_e) : f32x16{};
  }

  // A row of A, in as many terms as there are.
  static LATHE_INLINE void storeA(f32x16 low, f32x16 high, char *to) {
    if (QueryTerms == 1)
      store(to, pairUpper(roundBf16(low), roundBf16(high)));
    else
      storePairs(low, high, to, amx_tile_bytes);
  }
  // One pair of rows of B.
  static LATHE_INLINE void storeB(f32x16 low, f32x16 high, char *to) {
    if (QueryTerms == 1)
      store(to, pairUpper(roundBf16(low), roundBf16(high)));
    else if (KeyTerms == 1)
      store(to, pairUpper(low, high));
    else
      storePairs(low, high, to, amx_tile_bytes);
  }

  // keys_[step][tile][term], the tiles that there are.
  LATHE_INLINE void takeKeys(const float *keys, int64_t tiles) {
    auto column = [&](int64_t tile, int64_t d) LATHE_BODY {
      return d < shape_.key_dim ? load16(keys + (tile * shape_.key_dim + d) * 16) : f32x16{};
    };
    for (int64_t step = 0; step < querySteps(shape_); ++step)
      for (int64_t tile = 0; tile < tiles; ++tile) {
        char *to = keys_ + (step * key_tiles + tile) * b_bytes;
        for (int64_t i = 0; i < 16; ++i)
          storeB(column(tile, step * 32 + i), column(tile, step * 32 + 16 + i),
                 to + i * tile_row_bytes);
      }
  }

  // values_[step][tile][term], zeros behind the last key.
  LATHE_INLINE void takeValues(const FlashKeys &block, int64_t keys) {
    int64_t columns = roundUp(shape_.value_dim, 16);
    auto row = [&](int64_t key, int64_t j) LATHE_BODY {
      return key < keys && j < columns ? load16(block.values + key * block.value_stride + j)
                                       : f32x16{};
    };
    for (int64_t step = 0; step < ceilDiv(keys, 32); ++step)
      for (int64_t tile = 0; tile < valueTiles(shape_); ++tile) {
        char *to = values_ + (step * valueTiles(shape_) + tile) * b_bytes;
        for (int64_t i = 0; i < 16; ++i)
          storeB(row(step * 32 + i, tile * 16), row(step * 32 + 16 + i, tile * 16),
                 to + i * tile_row_bytes);
      }
  }

  // One or two tiles of rows of which some row sees something of a block: its first 32 `steps`.
  struct Group {
    int64_t tile;
    int64_t count; // 0: there is no group
    int64_t steps;
    bool whole; // all rows see all keys
  };
  LATHE_INLINE Group groupFrom(int64_t tile, int64_t start) const {
    for (; tile < tiles_; tile += 2) {
      int64_t count = smaller<int64_t>(2, tiles_ - tile);
      int32_t oldest = INT32_MAX, newest = -1, all_from = 0, all_to = INT32_MAX;
      for (int64_t i = tile * 16; i < (tile + count) * 16; ++i) {
        oldest = smaller(oldest, first_[i]);
        all_from = larger(all_from, first_[i]);
        all_to = smaller(all_to, last_[i]);
        newest = larger(newest, last_[i]);
      }
      if (newest >= start && oldest < start + flash_keys)
        return {tile, count, newest < start + 32 ? 1 : key_steps,
                all_from <= start && start + flash_keys - 1 <= all_to};
    }
    return {};
  }

  // Scores of a group to the terms of probabilities, a unit at a time: the maxima of a tile, by
  // which its sums so far shrink, then its rows one by one. Keys that are not seen, and were
  // perhaps not multiplied, get 0.
  struct Probabilities {
    FlashAmx *flash;
    Group group;
    int64_t start;
    float *scores;      // [tile][16][flash_keys]
    char *p;            // [tile][step][term]
    int64_t places = 1; // between products where some units are made, over which they spread
    int64_t next = 0, credit = 0;

    static constexpr int64_t units = 17; // of a tile
    LATHE_INLINE int64_t total() const { return group.count * units; }
    LATHE_INLINE void beside() {
      for (credit += total(); credit >= places && next < total(); credit -= places)
        make();
    }
    LATHE_INLINE void makeAll() {
      while (next < total())
        make();
    }
    LATHE_INLINE void make() {
      if (next % units == 0)
        flash->takeMaxima(*this, next / units);
      else
        flash->storeProbabilities(*this, next / units, next % units - 1);
      ++next;
    }
  };

  LATHE_INLINE void takeMaxima(const Probabilities &of, int64_t tile) {
    float *scores = of.scores + tile * 16 * flash_keys;
    int64_t row = (of.group.tile + tile) * 16;
    f32x16 top[16];
    for (int r = 0; r < 16; ++r) {
      float *at = scores + r * flash_keys;
      for (int64_t t = 0; !of.group.whole && t < key_tiles; ++t)
        store16(at + t * 16, seenScores(load16(at + t * 16), of.start + t * 16, first_[row + r],
                                        last_[row + r]));
      top[r] = load16(at);
      for (int64_t t = 1; t < key_tiles; ++t)
        top[r] = maximum(top[r], load16(at + t * 16));
    }
    f32x16 before = load16(state_.largest + row), now = maximum(before, maximumOfEach(top));
    f32x16 base = softmaxBase(now);
    f32x16 shrink = powerOfTwo(before - base);
    store16(bases_, base);
    store16(state_.largest + row, now);
    store16(state_.total + row, load16(state_.total + row) * shrink);
    int64_t stride = sumStride(shape_.value_dim);
    shrinkRows(state_.sums + row * stride, stride, stride - 16, shrink);
  }

  LATHE_INLINE void storeProbabilities(const Probabilities &of, int64_t tile, int64_t row) {
    const float *scores = of.scores + (tile * 16 + row) * flash_keys;
    char *p = of.p + tile * key_steps * a_bytes + row * tile_row_bytes;
    f32x16 sum = {};
    for (int64_t step = 0; step < key_steps; ++step) {
      f32x16 low = powerOfTwo(load16(scores + step * 32) - bases_[row]),
             high = powerOfTwo(load16(scores + step * 32 + 16) - bases_[row]);
      sum += low + high;
      storeA(low, high, p + step * a_bytes);
    }
    state_.total[(of.group.tile + tile) * 16 + row] += sumLanes(sum);
  }

  // While vectors make the probabilities of a group, tiles make the scores of the next and the sums
  // of the one before, since a core's window of instructions is too short to do that by itself.
  LATHE_INLINE void attendGroups(int64_t start) {
    alignas(64) float scores[2][2 * 16 * flash_keys];
    alignas(64) char p[2][2 * key_steps * a_bytes];
    Group next = groupFrom(0, start);
    Probabilities none = {this, {}, start, nullptr, nullptr}, before = none, here = none;
    for (int64_t turn = 0; next.count || here.group.count || before.group.count; ++turn) {
      here.places = larger<int64_t>(places(next, before.group), 1);
      eachCount(next, [&]<int Q>() LATHE_BODY { scoresOf<Q>(next, scores[turn % 2], here); });
      eachCount(before.group, [&]<int Q>() LATHE_BODY { sumsOf<Q>(before, here); });
      here.makeAll();
      before = here;
      here = {this, next, start, scores[turn % 2], p[turn % 2]};
      next = next.count ? groupFrom(next.tile + next.count, start) : next;
    }
  }
  template <typename Body> static LATHE_INLINE void eachCount(const Group &group, Body body) {
    if (group.count == 2)
      body.template operator()<2>();
    else if (group.count == 1)
      body.template operator()<1>();
  }
  LATHE_INLINE int64_t places(const Group &scores, const Group &sums) const {
    int64_t pairs = (scores.count ? scores.steps * querySteps(shape_) : 0) +
                    (sums.count ? sums.steps * valueTiles(shape_) / 2 : 0);
    return pairs * products;
  }

  // scores[tile][16][flash_keys], as many as there are steps.
  template <int Q>
  LATHE_INLINE void scoresOf(const Group &group, float *scores, Probabilities &other) {
    constexpr int N = 4 / Q;
    int64_t steps = querySteps(shape_);
    for (int64_t key = 0; key < group.steps * 2; key += N) {
      eachNumber<0, Q * N>([]<int Sum>() LATHE_BODY { zeroTile<Sum>(); });
      for (int64_t step = 0; step < steps; ++step)
        multiply<Q, N>(queries_ + (group.tile * steps + step) * a_bytes, steps * a_bytes,
                       keys_ + (step * key_tiles + key) * b_bytes, other);
      storeSums<Q, N>(scores + key * 16, flash_keys);
    }
  }

  template <int Q> LATHE_INLINE void sumsOf(const Probabilities &of, Probabilities &other) {
    int64_t column = 0, tiles = valueTiles(shape_);
    constexpr int N = 4 / Q;
    for (; column + N <= tiles; column += N)
      addSums<Q, N>(of, column, other);
    if (N > 2 && column < tiles)
      addSums<Q, 2>(of, column, other);
  }

  template <int Q, int N>
  LATHE_INLINE void addSums(const Probabilities &of, int64_t column, Probabilities &other) {
    int64_t stride = sumStride(shape_.value_dim);
    float *sums = state_.sums + of.group.tile * 16 * stride + column * 16;
    eachNumber<0, Q * N>(
        [&]<int Sum>() LATHE_BODY { loadTile<Sum>(sums + sumPlace<N>(Sum, stride), stride * 4); });
    for (int64_t step = 0; step < of.group.steps; ++step)
      multiply<Q, N>(of.p + step * a_bytes, key_steps * a_bytes,
                     values_ + (step * valueTiles(shape_) + column) * b_bytes, other);
    storeSums<Q, N>(sums, stride);
  }

  // Of tile `sum` of Q x N.
  template <int N> static constexpr int64_t sumPlace(int64_t sum, int64_t stride) {
    return sum / N * 16 * stride + sum % N * 16;
  }
  template <int Q, int N> static LATHE_INLINE void storeSums(float *to, int64_t stride) {
    eachNumber<0, Q * N>(
        [&]<int Sum>() LATHE_BODY { storeTile<Sum>(to + sumPlace<N>(Sum, stride), stride * 4); });
  }

  // The products of terms, small ones first.
  static constexpr int64_t products = QueryTerms == 1 ? 1 : KeyTerms == 1 ? 3 : 6;
  static constexpr int64_t a_term[6] = {
      KeyTerms == 1 ? products - 1 : 0, 1, KeyTerms == 1 ? 0 : 2, 0, 1, 0};
  static constexpr int64_t b_term[6] = {KeyTerms == 1 ? 0 : 2, KeyTerms == 1 ? 0 : 1, 0, 1, 0, 0};

  // sums[q][n] += A[q] B[n] over 32 of what is summed over. For a row the order is the same in all
  // shapes.
  template <int Q, int N>
  static LATHE_INLINE void multiply(const char *a, int64_t a_tile, const char *b,
                                    Probabilities &other) {
    static_assert(Q == 1 || N == 2);
#pragma clang loop unroll(disable)
    for (int64_t i = 0; i < products; ++i) {
      const char *x = a + a_term[i] * amx_tile_bytes, *y = b + b_term[i] * amx_tile_bytes;
      loadTile<4>(x, tile_row_bytes);
      loadTile<6>(y, tile_row_bytes);
      if constexpr (Q == 2)
        loadTile<5>(x + a_tile, tile_row_bytes);
      loadTile<7>(y + b_bytes, tile_row_bytes);
      multiplyTiles<0, 4, 6>();
      multiplyTiles<1, 4, 7>();
      if constexpr (Q == 2) {
        multiplyTiles<2, 5, 6>();
        multiplyTiles<3, 5, 7>();
      } else if constexpr (N == 4) {
        loadTile<6>(y + 2 * b_bytes, tile_row_bytes);
        loadTile<7>(y + 3 * b_bytes, tile_row_bytes);
        multiplyTiles<2, 4, 6>();
        multiplyTiles<3, 4, 7>();
      }
      if constexpr (Q == 2)
        other.beside();
    }
  }

  int64_t count_;
  int64_t tiles_; // of rows
  const FlashShape &shape_;
  char *queries_; // tiles [tile][step][term], scaled, so that scores are powers of two
  char *keys_;    // a block's, as B
  char *values_;
  FlashState state_ = {};
  int32_t *first_; // of each row
  int32_t *last_;
  alignas(64) float bases_[16]; // of the tile of rows whose probabilities are made
};

} // namespace lathe::x86
#endif
