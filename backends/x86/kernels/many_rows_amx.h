// Many rows times packed tiles on AMX. The rows of x are cut once into bf16 terms (bf16_terms.h),
// laid out as tiles that stay in L2; a block of k of two packed tiles at a time becomes pairs of
// bf16; then all rows run over it. A block of x stays in L1 for two such pairs of tiles, a panel.
// f32 rows need three products, rows that are bf16 or e4m3 numbers one.
//
// Bound: 512 multiplications a cycle and core. Per weight and row of x that is 1/512 cycle a term;
// making pairs costs 4/64 cycle a weight whatever the rows are (8/64 where e4m3 are mostly
// subnormal or 0), terms 1/4 cycle a value of x whatever the weights are.
#pragma once

#include "backends/x86/kernels/amx.h"
#include "backends/x86/kernels/amx_rule.h"
#include "backends/x86/kernels/bf16_pairs.h"
#include "backends/x86/kernels/sum_block.h"

#if LATHE_X86_AMX
namespace lathe::x86 {

constexpr int64_t amx_width = 2; // packed tiles that are multiplied at a time
constexpr int64_t amx_panel = 4; // packed tiles that follow each other for a block of x
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

// Tiles 0 to 5 are sums and x, 6 and 7 are pairs.
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

// A block of k of two packed tiles. Where there is one, it stands in for the other, and nobody
// reads those sums.
struct AmxBlock {
  const char *codes[amx_width];
  int64_t tiles;  // 0: there is no block
  int64_t panel;  // its first packed tile
  int64_t column; // of the first of `codes` in its panel
  int64_t k;
  int64_t length;

  LATHE_INLINE int64_t steps() const { return ceilDiv(length, amx_k); }
};

// Makes the pairs of a block, a step of a tile at a time, evenly between the products of the block
// before it: converting and multiplying use different parts of a core, and neither can look far
// enough ahead into the other; and lines come from memory one by one, not in a burst that fills the
// core's line buffers.
struct PairMaker {
  AmxBlock block;
  int64_t format;
  int64_t ahead;              // bytes from codes to those that are asked for
  char *pairs;                // [tile][step]
  int64_t share = 0;          // steps of a tile, to be made after each product
  int64_t tile = 0, step = 0; // the next

  LATHE_INLINE int64_t total() const { return block.tiles * block.steps(); }
  LATHE_INLINE void make(int64_t count) {
    int64_t steps = block.steps();
    for (; count > 0 && step < steps; --count) {
      int64_t k = step * amx_k;
      const char *codes = block.codes[tile] + (block.k + k) * codeRowBytes(format);
      for (int64_t line = 0; line < amx_k * codeRowBytes(format); line += 64)
        __builtin_prefetch(codes + ahead + line, 0, 3);
      char *to = pairs + tile * amx_pairs_stride + step * amx_tile_bytes;
      if (block.length - k >= amx_k)
        pairsOfStep(codes, format, amx_k, to);
      else
        pairsOfStep(codes, format, block.length - k, to);
      if (++tile == block.tiles) {
        tile = 0;
        ++step;
      }
    }
  }
};

// Sum[W * x + w] += the product of tile x of X tiles of x, `stride` bytes apart, and tile w of W of
// pairs. Each form keeps what it loads in registers of their own, or the products would wait.
template <int X, int W>
LATHE_INLINE void multiplyStep(const char *x, int64_t stride, const char *pairs) = delete;
template <> LATHE_INLINE void multiplyStep<1, 2>(const char *x, int64_t, const char *pairs) {
  loadTile<4>(x, tile_row_bytes);
  loadTile<6>(pairs, tile_row_bytes);
  loadTile<7>(pairs + amx_pairs_stride, tile_row_bytes);
  multiplyTiles<0, 4, 6>();
  multiplyTiles<1, 4, 7>();
}
template <> LATHE_INLINE void multiplyStep<2, 2>(const char *x, int64_t stride, const char *pairs) {
  loadTile<6>(pairs, tile_row_bytes);
  loadTile<7>(pairs + amx_pairs_stride, tile_row_bytes);
  loadTile<4>(x, tile_row_bytes);
  loadTile<5>(x + stride, tile_row_bytes);
  multiplyTiles<0, 4, 6>();
  multiplyTiles<1, 4, 7>();
  multiplyTiles<2, 5, 6>();
  multiplyTiles<3, 5, 7>();
}
template <> LATHE_INLINE void multiplyStep<3, 1>(const char *x, int64_t stride, const char *pairs) {
  loadTile<6>(pairs, tile_row_bytes);
  loadTile<3>(x, tile_row_bytes);
  loadTile<4>(x + stride, tile_row_bytes);
  loadTile<5>(x + 2 * stride, tile_row_bytes);
  multiplyTiles<0, 3, 6>();
  multiplyTiles<1, 4, 6>();
  multiplyTiles<2, 5, 6>();
}

// What all parts of a product know.
struct AmxProduct {
  const XRows &rows;
  int64_t first_row; // of the block of rows
  const AmxRows &a;
  const char *terms;
  const WeightParams &w;
  const XParams &xp;
  float *totals; // [column of the panel][row][16]
};

// totals += sums, which are the rows from `row` on times tile `tile` of the block.
LATHE_INLINE void addSums(const AmxProduct &p, const AmxBlock &block, int64_t row, int64_t tile,
                          const float *sums) {
  float *total = p.totals + ((block.column + tile) * amx_rows + row) * 16;
  for (int64_t r = 0; r < p.a.per_tile; ++r) {
    int64_t source = sourceRow(p.rows, p.first_row + smaller(row + r, p.a.count - 1));
    const float *x_scales = p.xp.block ? p.rows.scales + source * p.xp.scale_stride : nullptr;
    f32x16 before = block.k ? load16(total + r * 16) : f32x16{};
    store16(total + r * 16, addBlock(before, load16(sums + r * 16), pairFactor(p.w.format),
                                     block.codes[tile], x_scales, block.k, p.w, p.xp));
  }
}

// Some tiles of x times some packed tiles of a block.
struct Sweep {
  int64_t x_tiles, tiles; // 1 x 2, 2 x 2 or 3 x 1
  int64_t t;              // the first tile of x
  int64_t tile;           // the first packed tile

  LATHE_INLINE int64_t sums() const { return x_tiles * tiles; }
};

// Two tiles of x at a time; three at first where one would be left over, with each packed tile.
LATHE_INLINE int64_t tilesInThree(int64_t x_tiles) { return x_tiles > 1 && x_tiles % 2 ? 3 : 0; }
LATHE_INLINE int64_t sweepCount(int64_t x_tiles, const AmxBlock &block) {
  int64_t three = tilesInThree(x_tiles);
  return three / 3 * block.tiles + ceilDiv(x_tiles - three, 2);
}
LATHE_INLINE Sweep sweepAt(int64_t i, int64_t x_tiles, const AmxBlock &block) {
  int64_t three = tilesInThree(x_tiles), first = three / 3 * block.tiles;
  if (i < first)
    return {3, 1, 0, i};
  int64_t t = three + (i - first) * 2;
  return {smaller<int64_t>(2, x_tiles - t), amx_width, t, 0};
}

// The forms stand in one loop and not in a loop each: with what is made between them they are most
// of a product's code.
LATHE_INLINE void multiplyStep(const Sweep &sweep, const char *x, int64_t stride,
                               const char *pairs) {
  if (sweep.x_tiles == 2)
    multiplyStep<2, 2>(x, stride, pairs);
  else if (sweep.x_tiles == 3)
    multiplyStep<3, 1>(x, stride, pairs);
  else
    multiplyStep<1, 2>(x, stride, pairs);
}

LATHE_INLINE void storeSums(const Sweep &sweep, float (*sums)[16 * 16]) {
  storeTile<0>(sums[0], tile_row_bytes);
  storeTile<1>(sums[1], tile_row_bytes);
  if (sweep.sums() > 2)
    storeTile<2>(sums[2], tile_row_bytes);
  if (sweep.sums() > 3)
    storeTile<3>(sums[3], tile_row_bytes);
}

LATHE_INLINE void addSweep(const AmxProduct &p, const AmxBlock &block, const Sweep &sweep,
                           const char *pairs, PairMaker &maker) {
  alignas(64) float sums[4][16 * 16];
  const char *x =
      p.terms + block.k / p.a.block * p.a.block_steps * p.a.stepBytes() + sweep.t * p.a.tile_bytes;
  eachNumber<0, 4>([]<int Sum>() LATHE_BODY { zeroTile<Sum>(); });
  for (int64_t step = 0; step < block.steps(); ++step)
    for (int64_t term = 0; term < p.a.terms; ++term) {
      multiplyStep(sweep, x + step * p.a.stepBytes() + term * p.a.termBytes(), p.a.tile_bytes,
                   pairs + sweep.tile * amx_pairs_stride + step * amx_tile_bytes);
      maker.make(maker.share);
    }
  storeSums(sweep, sums);
  for (int64_t i = 0; i < sweep.sums(); ++i) {
    int64_t tile = sweep.tile + i % sweep.tiles;
    if (tile < block.tiles)
      addSums(p, block, (sweep.t + i / sweep.tiles) * p.a.per_tile, tile, sums[i]);
  }
}

LATHE_INLINE void addBlockOfK(const AmxProduct &p, const AmxBlock &block, const char *pairs,
                              PairMaker &maker) {
  int64_t sweeps = block.tiles ? sweepCount(p.a.tiles, block) : 0;
  maker.share = sweeps ? ceilDiv(maker.total(), block.steps() * p.a.terms * sweeps) : 0;
  for (int64_t i = 0; i < sweeps; ++i)
    addSweep(p, block, sweepAt(i, p.a.tiles, block), pairs, maker);
  maker.make(maker.total());
}

// The tiles of a call: the columns of a panel are those of S stacks in turn.
template <int S> struct AmxTiles {
  const char *const *stacks;
  int64_t end;
  const WeightParams &w;
  int64_t block; // of k

  LATHE_INLINE int64_t columns(int64_t panel) const {
    return S * larger<int64_t>(smaller<int64_t>(amx_panel / S, end - panel), 0);
  }
  LATHE_INLINE AmxBlock at(int64_t panel, int64_t column, int64_t k) const {
    int64_t tiles = smaller(amx_width, columns(panel) - column);
    AmxBlock result = {{}, tiles, panel, column, k, smaller(block, w.k - k)};
    for (int64_t i = 0; i < amx_width && tiles > 0; ++i) {
      int64_t here = column + smaller(i, tiles - 1);
      result.codes[i] = stacks[here % S] + (panel + here / S) * w.tile_bytes;
    }
    return result;
  }
  LATHE_INLINE bool isLast(const AmxBlock &block) const {
    return block.k + block.length >= w.k && block.column + amx_width >= columns(block.panel);
  }
  LATHE_INLINE AmxBlock after(const AmxBlock &before) const {
    if (isLast(before))
      return at(before.panel + amx_panel / S, 0, 0);
    if (before.column + amx_width < columns(before.panel))
      return at(before.panel, before.column + amx_width, before.k);
    return at(before.panel, 0, before.k + block);
  }
  // Behind a tile's end codes are asked for in the one of the next panel.
  LATHE_INLINE PairMaker maker(const AmxBlock &block, char *pairs) const {
    return {block, w.format, prefetchDistance(block.k, amx_panel / S * w.tile_bytes, w), pairs};
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
  alignas(64) char pairs[2][amx_width * amx_pairs_stride];
  AmxBlock block = {}, next = tiles.at(begin, 0, 0); // pairs are made a block ahead
  for (int64_t turn = 0; block.tiles > 0 || next.tiles > 0; ++turn) {
    PairMaker maker = tiles.maker(next, pairs[(turn + 1) % 2]);
    addBlockOfK(p, block, pairs[turn % 2], maker);
    if (block.tiles > 0 && tiles.isLast(block))
      finishPanel<S>(p, block.panel, tiles.columns(block.panel), finish);
    block = next;
    next = tiles.after(block);
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
