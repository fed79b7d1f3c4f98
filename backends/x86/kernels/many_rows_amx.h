// Many rows times packed tiles on AMX. The rows of x are cut once into bf16 terms (bf16_terms.h),
// laid out as tiles that stay in L2; a block of k of four packed tiles at a time becomes pairs of
// bf16 in L1; then all rows run over it. f32 rows need three products, rows that are bf16 or e4m3
// numbers one.
//
// Bound: 512 multiplications a cycle and core. Per weight and row of x that is 1/512 cycle a term;
// making pairs costs 4/64 cycle a weight whatever the rows are, terms 1/4 cycle a value of x
// whatever the weights are.
#pragma once

#include "backends/x86/kernels/amx.h"
#include "backends/x86/kernels/bf16_pairs.h"
#include "backends/x86/kernels/sum_block.h"

#if LATHE_X86_AMX
namespace lathe::x86 {

constexpr int64_t amx_k = 32;            // of one product of tiles
constexpr int64_t amx_x_bytes = 1 << 20; // terms of a block of rows: half of L2
constexpr int64_t amx_rows = 256;        // of a block
constexpr int64_t amx_panel = 4;         // packed tiles that are converted at a time
constexpr int64_t amx_pairs_stride = longest_block / amx_k * amx_tile_bytes;

// How a block of rows is cut into tiles of x, equal ones, so that one configuration serves all.
// Rows behind the last are copies of it, and nobody reads their sums.
struct AmxRows {
  int64_t count;
  int64_t tiles;
  int64_t per_tile;
  int64_t terms;
  int64_t block;       // of k, that are summed before scales come in
  int64_t block_steps; // products along a block
  int64_t tile_bytes;  // of all of k of one tile of x

  LATHE_INLINE int64_t termBytes() const { return per_tile * tile_row_bytes; }
  LATHE_INLINE int64_t stepBytes() const { return termBytes() * terms; }
};

LATHE_INLINE int64_t amxTerms(const XParams &xp) {
  return xp.activations == Activations::f32 ? 3 : 1;
}
LATHE_INLINE int64_t amxSteps(const WeightParams &w, const XParams &xp) {
  int64_t block = sumBlock(w, xp);
  return w.k / block * ceilDiv(block, amx_k) + ceilDiv(w.k % block, amx_k);
}
// The most rows whose terms have room.
LATHE_INLINE int64_t amxMaxRows(const WeightParams &w, const XParams &xp) {
  int64_t fit = amx_x_bytes / (larger<int64_t>(amxSteps(w, xp), 1) * amxTerms(xp) * tile_row_bytes);
  return fit >= 32 ? smaller(fit / 32 * 32, amx_rows) : fit / 2 * 2;
}
// Not the transposed kv_b of integers, whose scales change with each k.
LATHE_INLINE bool takesAmx(const WeightParams &w, const XParams &xp) {
  bool whole_steps = !isInteger(w.format) || w.scale_block_k % amx_k == 0 || w.scale_block_k >= w.k;
  return isExactInBf16(w.format) && whole_steps && amxMaxRows(w, xp) > 0;
}

LATHE_INLINE AmxRows amxRows(int64_t count, const WeightParams &w, const XParams &xp) {
  int64_t tiles = ceilDiv(count, 16), per_tile = ceilDiv(count, tiles);
  int64_t block = sumBlock(w, xp), terms = amxTerms(xp);
  return {count,
          tiles,
          per_tile,
          terms,
          block,
          ceilDiv(block, amx_k),
          amxSteps(w, xp) * terms * per_tile * tile_row_bytes};
}

// Tiles 0 to 3 are sums, 4 and 5 are x, 6 and 7 are pairs.
LATHE_INLINE void configure(const AmxRows &a) {
  TileConfig config;
  config.set(0, 5, a.per_tile);
  config.set(6, 7, 16);
  configureTiles(config);
}

// 32 values of a row from k on, zeros behind `end`.
LATHE_INLINE void termsOfStep(const float *x, int64_t left, int64_t terms, char *to,
                              int64_t term_bytes) {
  f32x16 second = left >= 32 ? load16(x + 16) : left > 16 ? loadSome(x + 16, left - 16) : f32x16{};
  storeTerms(left >= 16 ? load16(x) : loadSome(x, left), second, terms, to, term_bytes);
}

// The terms of a row: for each block of k its steps, for each step its terms.
LATHE_INLINE void termsOfRow(const float *x, const AmxRows &a, int64_t k_end, char *to) {
  for (int64_t k0 = 0; k0 < k_end; k0 += a.block) {
    int64_t end = smaller(k0 + a.block, k_end);
    for (int64_t k = k0; k < end; k += amx_k, to += a.stepBytes())
      termsOfStep(x + k, end - k, a.terms, to, a.termBytes());
  }
}

LATHE_INLINE void termsOfRows(const XRows &rows, int64_t first_row, const AmxRows &a, int64_t k,
                              int64_t stride, char *terms) {
  for (int64_t i = 0; i < a.tiles * a.per_tile; ++i)
    termsOfRow(rows.x + sourceRow(rows, first_row + smaller(i, a.count - 1)) * stride, a, k,
               terms + i / a.per_tile * a.tile_bytes + i % a.per_tile * tile_row_bytes);
}

// A block of k of a panel of packed tiles; where there are fewer than amx_panel tiles the last
// stands in for the others, and nobody reads its sums.
struct AmxBlock {
  const char *codes[amx_panel];
  int64_t tiles; // 0: there is no block
  int64_t k;
  int64_t length;

  LATHE_INLINE int64_t steps() const { return ceilDiv(length, amx_k); }
};

// Makes the pairs of a block, a step of a tile at a time, while sums of the block before it are
// made: converting and multiplying use different parts of a core, and neither can look far enough
// ahead into the other.
struct PairMaker {
  AmxBlock block;
  int64_t format;
  char *pairs; // [tile][step]
  int64_t next = 0;

  LATHE_INLINE int64_t total() const { return block.tiles * block.steps(); }
  LATHE_INLINE void make(int64_t count) {
    for (int64_t end = smaller(next + count, total()); next < end; ++next) {
      int64_t tile = next % block.tiles, step = next / block.tiles, k = step * amx_k;
      const char *codes = block.codes[tile] + (block.k + k) * codeRowBytes(format);
      for (int64_t line = 0; line < amx_k * codeRowBytes(format); line += 64)
        __builtin_prefetch(codes + longest_block * codeRowBytes(format) + line, 0, 2);
      pairsOfStep(codes, format, block.length - k,
                  pairs + tile * amx_pairs_stride + step * amx_tile_bytes);
    }
  }
};

// Sums over a block of one tile of x and four tiles of weights. `quota`: of `maker`, after each
// product of tiles.
LATHE_INLINE void sumsOfOne(const char *x, const char *pairs, int64_t steps, const AmxRows &a,
                            PairMaker &maker, int64_t quota) {
  for (int64_t step = 0; step < steps; ++step)
    for (int64_t term = 0; term < a.terms; ++term) {
      const char *b = pairs + step * amx_tile_bytes;
      loadTile<4>(x + step * a.stepBytes() + term * a.termBytes(), tile_row_bytes);
      loadTile<6>(b, tile_row_bytes);
      loadTile<7>(b + amx_pairs_stride, tile_row_bytes);
      multiplyTiles<0, 4, 6>();
      multiplyTiles<1, 4, 7>();
      loadTile<6>(b + 2 * amx_pairs_stride, tile_row_bytes);
      loadTile<7>(b + 3 * amx_pairs_stride, tile_row_bytes);
      multiplyTiles<2, 4, 6>();
      multiplyTiles<3, 4, 7>();
      maker.make(quota);
    }
}

// Two tiles of x and two of weights.
LATHE_INLINE void sumsOfTwo(const char *x, const char *pairs, int64_t steps, const AmxRows &a) {
  for (int64_t step = 0; step < steps; ++step) {
    loadTile<6>(pairs + step * amx_tile_bytes, tile_row_bytes);
    loadTile<7>(pairs + amx_pairs_stride + step * amx_tile_bytes, tile_row_bytes);
    for (int64_t term = 0; term < a.terms; ++term) {
      const char *from = x + step * a.stepBytes() + term * a.termBytes();
      loadTile<4>(from, tile_row_bytes);
      loadTile<5>(from + a.tile_bytes, tile_row_bytes);
      multiplyTiles<0, 4, 6>();
      multiplyTiles<1, 4, 7>();
      multiplyTiles<2, 5, 6>();
      multiplyTiles<3, 5, 7>();
    }
  }
}

LATHE_INLINE void zeroSums() {
  zeroTile<0>();
  zeroTile<1>();
  zeroTile<2>();
  zeroTile<3>();
}
LATHE_INLINE void storeSums(float (*sums)[16 * 16]) {
  storeTile<0>(sums[0], tile_row_bytes);
  storeTile<1>(sums[1], tile_row_bytes);
  storeTile<2>(sums[2], tile_row_bytes);
  storeTile<3>(sums[3], tile_row_bytes);
}

// What all parts of a product know.
struct AmxProduct {
  const XRows &rows;
  int64_t first_row; // of the block of rows
  const AmxRows &a;
  const char *terms;
  const WeightParams &w;
  const XParams &xp;
  float *totals; // [tile][row][16]
};

// totals += sums, which are the rows from `row` on times packed tile `tile`.
LATHE_INLINE void addSums(const AmxProduct &p, const AmxBlock &block, int64_t row, int64_t tile,
                          const float *sums) {
  float *total = p.totals + (tile * amx_rows + row) * 16;
  for (int64_t r = 0; r < p.a.per_tile; ++r) {
    int64_t source = sourceRow(p.rows, p.first_row + smaller(row + r, p.a.count - 1));
    const float *x_scales = p.xp.block ? p.rows.scales + source * p.xp.scale_stride : nullptr;
    store16(total + r * 16, addBlock(load16(total + r * 16), load16(sums + r * 16), 1.0f,
                                     block.codes[tile], x_scales, block.k, p.w, p.xp));
  }
}

// A tile of x, all packed tiles.
LATHE_INLINE void addOne(const AmxProduct &p, const AmxBlock &block, const char *terms, int64_t t,
                         const char *pairs, PairMaker &maker, int64_t quota) {
  alignas(64) float sums[4][16 * 16];
  zeroSums();
  sumsOfOne(terms + t * p.a.tile_bytes, pairs, block.steps(), p.a, maker, quota);
  storeSums(sums);
  for (int64_t tile = 0; tile < block.tiles; ++tile)
    addSums(p, block, t * p.a.per_tile, tile, sums[tile]);
}

// Two tiles of x from t on, two packed tiles from `tile` on.
LATHE_INLINE void addTwo(const AmxProduct &p, const AmxBlock &block, const char *terms, int64_t t,
                         const char *pairs, int64_t tile) {
  alignas(64) float sums[4][16 * 16];
  zeroSums();
  sumsOfTwo(terms + t * p.a.tile_bytes, pairs + tile * amx_pairs_stride, block.steps(), p.a);
  storeSums(sums);
  for (int64_t i = 0; i < 4; ++i)
    if (tile + i % 2 < block.tiles)
      addSums(p, block, (t + i / 2) * p.a.per_tile, tile + i % 2, sums[i]);
}

LATHE_INLINE void addBlockOfK(const AmxProduct &p, const AmxBlock &block, const char *pairs,
                              PairMaker &maker) {
  const char *terms = p.terms + block.k / p.a.block * p.a.block_steps * p.a.stepBytes();
  int64_t t = 0;
  for (; t + 2 <= p.a.tiles; t += 2)
    for (int64_t tile = 0; tile < block.tiles; tile += 2)
      addTwo(p, block, terms, t, pairs, tile);
  int64_t slots = block.steps() * p.a.terms;
  if (t < p.a.tiles)
    addOne(p, block, terms, t, pairs, maker, ceilDiv(maker.total(), slots));
  maker.make(maker.total());
}

// The tiles of a call: S stacks side by side, a panel of them at a time.
template <int S> struct AmxTiles {
  const char *const *stacks;
  int64_t end;
  const WeightParams &w;
  int64_t block; // of k

  LATHE_INLINE AmxBlock at(int64_t tile, int64_t k) const {
    AmxBlock result = {
        {}, S * smaller<int64_t>(amx_panel / S, end - tile), k, smaller(block, w.k - k)};
    for (int64_t i = 0; i < amx_panel && tile < end; ++i) {
      int64_t here = smaller(i, result.tiles - 1);
      result.codes[i] = stacks[here % S] + (tile + here / S) * w.tile_bytes;
    }
    return result;
  }
};

template <int S, typename Finish>
LATHE_INLINE void finishPanel(const AmxProduct &p, int64_t tile, int64_t tiles, Finish finish) {
  for (int64_t r = 0; r < p.a.count; ++r)
    for (int64_t t = 0; t < tiles / S; ++t) {
      f32x16 results[S];
      for (int s = 0; s < S; ++s)
        results[s] = load16(p.totals + ((t * S + s) * amx_rows + r) * 16);
      finish(p.first_row + r, tile + t, results);
    }
}

// All tiles of a call, a block of rows.
template <int S, typename Finish>
LATHE_INLINE void blockOfRows(const AmxProduct &p, const AmxTiles<S> &tiles, int64_t begin,
                              Finish finish) {
  // Half a page apart: a load waits for a store to the same place of another page.
  alignas(4096) char pairs[2][amx_panel * amx_pairs_stride + 2048];
  AmxBlock block = tiles.at(begin, 0);
  PairMaker first = {block, p.w.format, pairs[0]};
  first.make(first.total());
  for (int64_t tile = begin, turn = 0; tile < tiles.end; ++turn) {
    if (block.k == 0)
      for (int64_t t = 0; t < block.tiles; ++t)
        __builtin_memset(p.totals + t * amx_rows * 16, 0,
                         static_cast<size_t>(p.a.tiles * p.a.per_tile) * 64);
    bool last = block.k + block.length >= p.w.k;
    AmxBlock next = last ? tiles.at(tile + amx_panel / S, 0) : tiles.at(tile, block.k + p.a.block);
    PairMaker maker = {next, p.w.format, pairs[(turn + 1) % 2]};
    addBlockOfK(p, block, pairs[turn % 2], maker);
    if (last) {
      finishPanel<S>(p, tile, block.tiles, finish);
      tile += amx_panel / S;
    }
    block = next;
  }
}

// As manyRowsInVectors.
template <int S, typename Finish>
LATHE_INLINE void manyRowsOnAmx(const XRows &rows, int64_t count, const char *const *stacks,
                                int64_t begin, int64_t end, const WeightParams &w,
                                const XParams &xp, Finish finish) {
  alignas(64) char terms[amx_x_bytes];
  alignas(64) float totals[amx_panel * amx_rows * 16];
  if (begin >= end || count <= 0)
    return;
  int64_t rows_of_block = ceilDiv(count, ceilDiv(count, amxMaxRows(w, xp)));
  for (int64_t first = 0; first < count; first += rows_of_block) {
    AmxRows a = amxRows(smaller(rows_of_block, count - first), w, xp);
    configure(a);
    termsOfRows(rows, first, a, w.k, xp.stride, terms);
    blockOfRows<S>({rows, first, a, terms, w, xp, totals}, AmxTiles<S>{stacks, end, w, a.block},
                   begin, finish);
  }
  releaseTiles();
}

} // namespace lathe::x86
#endif
