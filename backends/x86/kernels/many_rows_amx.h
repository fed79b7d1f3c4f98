// Many rows times packed tiles on AMX. The rows of x are cut once into bf16 terms (bf16_terms.h),
// laid out as tiles that stay in L2; a block of k of two packed tiles at a time becomes pairs of
// bf16; then all rows run over it. A block of x stays in L1 for two such pairs of tiles, a panel.
// f32 rows need three products, rows that are bf16 or e4m3 numbers one.
//
// A core issues nothing else for the 16 cycles of a tile's store, and 48 KiB of L1 hold a block of
// 48 rows, totals, pairs and sums just so: hence sums that wait (DueSums), pairs in place (inPlace)
// and codes that are asked for into L2 only.
//
// Bound: 512 multiplications a cycle and core. Per weight and row of x that is 1/512 cycle a term;
// making pairs costs 3/64 cycle a weight whatever the rows are (8/64 where e4m3 are mostly
// subnormal or 0), terms 1/4 cycle a value of x whatever the weights are.
#pragma once

#include "backends/x86/kernels/amx.h"
#include "backends/x86/kernels/amx_rule.h"
#include "backends/x86/kernels/bf16_pairs.h"
#include "backends/x86/kernels/result_lines.h"
#include "backends/x86/kernels/sum_block.h"

#if LATHE_X86_AMX
namespace lathe::x86 {

constexpr int64_t amx_width = 2; // packed tiles that are multiplied at a time
constexpr int64_t amx_panel = 4; // packed tiles that follow each other for a block of x
constexpr int64_t amx_pairs_stride = longest_block / amx_k * amx_tile_bytes;
constexpr int64_t amx_sweep_rows = 48; // of x that are multiplied at a time, at most

// How a block of rows is cut into tiles of x, equal ones, so that one configuration serves all.
// Rows behind the last are copies of it, and nobody reads their sums.
struct AmxRows {
  int64_t count;
  int64_t tiles;
  int64_t per_tile;
  int64_t terms;
  int64_t block;         // of k, that are summed before scales come in
  int64_t block_steps;   // products along a block
  int64_t product_bytes; // from a term of a step to the next, or the next step's first
  int64_t tile_bytes;    // from a tile of x to the next

  LATHE_INLINE int64_t termBytes() const { return per_tile * tile_row_bytes; }
  LATHE_INLINE int64_t stepBytes() const { return product_bytes * terms; }
};

LATHE_INLINE AmxRows amxRows(int64_t count, bool as_they_lie, const WeightParams &w,
                             const XParams &xp) {
  int64_t tiles = ceilDiv(count, 16), per_tile = ceilDiv(count, tiles);
  int64_t block = sumBlock(w, xp), terms = amxTerms(xp), term = per_tile * tile_row_bytes;
  return {count,
          tiles,
          per_tile,
          terms,
          block,
          ceilDiv(block, amx_k),
          as_they_lie ? xp.stride * step_row_bytes : term,
          as_they_lie ? term : amxSteps(w, xp) * terms * term};
}

// Tiles 0 to 6 are sums and x, 7 is pairs.
LATHE_INLINE void configure(const AmxRows &a) {
  TileConfig config;
  config.set(0, 6, a.per_tile);
  config.set(7, 7, 16);
  configureTiles(config);
}

// 32 values of a row from k on, zeros behind `end`.
LATHE_INLINE void termsOfStep(const float *x, int64_t left, int64_t terms, char *to,
                              int64_t term_bytes) {
  f32x16 second = left >= 32 ? load16(x + 16) : left > 16 ? loadSome(x + 16, left - 16) : f32x16{};
  storeTerms(left >= 16 ? load16(x) : loadSome(x, left), second, terms, to, term_bytes);
}

// The same of a row that is bf16 in memory.
LATHE_INLINE void copyStep(const char *row, int64_t k, int64_t left, const XParams &xp, char *to) {
  if (left < amx_k)
    __builtin_memset(to, 0, tile_row_bytes);
  eachRun(row, k, smaller(left, amx_k), xp,
          [&](const char *from, int64_t first, int64_t here) LATHE_BODY {
            if (here == amx_k)
              return store(to, load<u16x32>(from));
            __builtin_memcpy(to + first * 2, from, static_cast<size_t>(here) * 2);
          });
}

// The terms of a row: for each block of k its steps, for each step its terms.
LATHE_INLINE void termsOfRow(const char *row, const XParams &xp, const AmxRows &a, int64_t k_end,
                             char *to) {
  for (int64_t k0 = 0; k0 < k_end; k0 += a.block) {
    int64_t end = smaller(k0 + a.block, k_end);
    for (int64_t k = k0; k < end; k += amx_k, to += a.stepBytes())
      if (xp.rows_in != RowsIn::f32)
        copyStep(row, k, end - k, xp, to);
      else
        termsOfStep(reinterpret_cast<const float *>(row) + k, end - k, a.terms, to, a.termBytes());
  }
}

LATHE_INLINE void termsOfRows(const XRows &rows, int64_t first_row, const AmxRows &a, int64_t k,
                              const XParams &xp, char *terms) {
  for (int64_t i = 0; i < a.tiles * a.per_tile; ++i)
    termsOfRow(rowOf(rows, first_row + smaller(i, a.count - 1), xp), xp, a, k,
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

// Asks for what a tile has behind its codes and needs from its first block on. Not for scales of
// lanes, which are a stream beside the codes.
LATHE_INLINE void prefetchTileEnd(const char *tile, const WeightParams &w) {
  bool lanes = w.scale_mode == ScaleMode::lane || w.scale_mode == ScaleMode::lane_f16;
  int64_t from = lanes ? behindScales(w) : codeBytes(w.k, w.format);
  for (int64_t at = from; at < w.tile_bytes; at += 64)
    __builtin_prefetch(tile + at, 0, 2);
}

// Makes the pairs of a block, eight k of both tiles at a time, evenly between the products of the
// block before it: converting and multiplying use different parts of a core, and neither can look
// far enough ahead into the other; and lines come from memory one by one, not in a burst that fills
// the core's line buffers.
struct PairMaker {
  const char *codes[amx_width];       // of the next to be made
  uint64_t zero_exponents[amx_width]; // a bit for each eight, the next one's lowest
  char *pairs;                        // [tile][step]
  int64_t format;
  int64_t ahead;  // bytes from codes to those that are asked for
  int64_t length; // k of the block from here on; zeros are made behind them
  bool whole;     // steps, all of them
  int64_t left;   // eights to make

  template <int Tile> LATHE_INLINE void makeEight() {
    for (int64_t line = 0; line < 8 * codeRowBytes(format); line += 64)
      __builtin_prefetch(codes[Tile] + ahead + line, 0, 2);
    if (whole)
      pairsOfEight(codes[Tile], format, zero_exponents[Tile] & 1, pairs + Tile * amx_pairs_stride);
    else
      pairsOfSome(codes[Tile], format, length, pairs + Tile * amx_pairs_stride);
    codes[Tile] += 8 * codeRowBytes(format);
    zero_exponents[Tile] >>= 1;
  }
  LATHE_INLINE void make(int64_t count) {
    count = smaller(count, left);
    left -= count;
#pragma clang loop unroll(disable)
    for (; count > 0; --count) {
      makeEight<0>();
      makeEight<1>();
      length -= 8;
      pairs += 8 / 2 * tile_row_bytes;
    }
  }
};

// What all parts of a product know.
struct AmxProduct {
  const XRows &rows;
  int64_t first_row; // of the block of rows
  const AmxRows &a;
  const char *terms;
  const WeightParams &w;
  const XParams &xp;
  float *totals; // [column of the panel][row][16]
  float *sums;   // [packed tile][row of a sweep][16]

  LATHE_INLINE float *total(int64_t column, int64_t row) const {
    return totals + (column * a.tiles * a.per_tile + row) * 16;
  }
  LATHE_INLINE void clearTotals() const {
    __builtin_memset(totals, 0, static_cast<size_t>(amx_panel * a.tiles * a.per_tile) * 64);
  }
};

// Some tiles of x times the packed tiles of a block.
struct Sweep {
  int64_t x_tiles; // 1 to 3
  int64_t t;       // the first
};

// Two tiles of x at a time; three at first where one would be left over.
LATHE_INLINE bool startsWithThree(int64_t x_tiles) { return x_tiles > 1 && x_tiles % 2; }
LATHE_INLINE int64_t sweepCount(int64_t x_tiles) { return larger<int64_t>(x_tiles / 2, 1); }
// Whether each step of pairs is read once: then the next block's take its place, since 8 KiB more
// of L1 are 8 KiB that others need.
LATHE_INLINE bool inPlace(const AmxRows &a) { return a.terms == 1 && sweepCount(a.tiles) == 1; }
LATHE_INLINE Sweep sweepAt(int64_t i, int64_t x_tiles) {
  if (i == 0 && startsWithThree(x_tiles))
    return {3, 0};
  int64_t t = i * 2 + startsWithThree(x_tiles);
  return {smaller<int64_t>(2, x_tiles - t), t};
}

// The sums of a sweep on their way into the totals. They stay in tiles until the next sweep needs
// those, and are added between its products: whoever stores a sum at once waits for the last
// product, and whoever adds it then waits for the store.
struct DueSums {
  const char *codes[amx_width];
  int64_t column, k;
  Sweep sweep = {};
  int64_t tile = 0, row = 0; // the next to add

  template <int Sum> LATHE_INLINE void storeSum(const AmxProduct &p) {
    if (Sum < amx_width * sweep.x_tiles)
      storeTile<Sum>(p.sums + (Sum % 2 * amx_sweep_rows + Sum / 2 * p.a.per_tile) * 16,
                     tile_row_bytes);
  }
  // Adds `count` rows of one packed tile.
  LATHE_INLINE void addRows(const AmxProduct &p, int64_t count) {
    f32x16 scale = blockScale(pairFactor(p.w.format), tile ? codes[1] : codes[0], k, p.w);
    int64_t first = sweep.t * p.a.per_tile + row;
    const float *sums = p.sums + (tile * amx_sweep_rows + row) * 16;
    float *total = p.total(column + tile, first);
#pragma clang loop unroll_count(4)
    for (int64_t r = 0; r < count; ++r) {
      f32x16 factor = scale;
      if (p.xp.block) {
        int64_t source = sourceRow(p.rows, p.first_row + smaller(first + r, p.a.count - 1));
        factor = scale * p.rows.scales[source * p.xp.scale_stride + k / p.xp.block];
      }
      store16(total + r * 16, fma(load16(sums + r * 16), factor, load16(total + r * 16)));
    }
  }
  LATHE_INLINE int64_t rows(const AmxProduct &p) const { return sweep.x_tiles * p.a.per_tile; }
  LATHE_INLINE void add(const AmxProduct &p, int64_t count) {
    while (count > 0 && tile < amx_width) {
      int64_t here = smaller(count, rows(p) - row);
      addRows(p, here);
      count -= here, row += here;
      if (row == rows(p))
        row = 0, ++tile;
    }
  }
};

// Sum += the product of tiles X and 7. The first of a sweep takes the tile from the sum before.
template <int Sum, int X>
LATHE_INLINE void multiplyInto(const AmxProduct &p, bool first, DueSums &due) {
  if (first) {
    due.storeSum<Sum>(p);
    zeroTile<Sum>();
  }
  multiplyTiles<Sum, X, 7>();
}

// Sum[2 x + w] += the product of tile x of some tiles of x, `stride` bytes apart, and tile w of two
// of pairs.
LATHE_INLINE void multiplyStep(const AmxProduct &p, int64_t x_tiles, const char *x,
                               const char *pairs, bool first, DueSums &due) {
  int64_t stride = p.a.tile_bytes;
  loadTile<7>(pairs, tile_row_bytes);
  if (x_tiles == 2) {
    loadTile<5>(x, tile_row_bytes);
    multiplyInto<0, 5>(p, first, due);
    loadTile<6>(x + stride, tile_row_bytes);
    multiplyInto<2, 6>(p, first, due);
    loadTile<7>(pairs + amx_pairs_stride, tile_row_bytes);
    multiplyInto<1, 5>(p, first, due);
    multiplyInto<3, 6>(p, first, due);
  } else if (x_tiles == 3) {
    loadTile<6>(x, tile_row_bytes);
    multiplyInto<0, 6>(p, first, due);
    loadTile<6>(x + stride, tile_row_bytes);
    multiplyInto<2, 6>(p, first, due);
    loadTile<6>(x + 2 * stride, tile_row_bytes);
    multiplyInto<4, 6>(p, first, due);
    loadTile<7>(pairs + amx_pairs_stride, tile_row_bytes);
    multiplyInto<5, 6>(p, first, due);
    loadTile<6>(x + stride, tile_row_bytes);
    multiplyInto<3, 6>(p, first, due);
    loadTile<6>(x, tile_row_bytes);
    multiplyInto<1, 6>(p, first, due);
  } else {
    loadTile<6>(x, tile_row_bytes);
    multiplyInto<0, 6>(p, first, due);
    loadTile<7>(pairs + amx_pairs_stride, tile_row_bytes);
    multiplyInto<1, 6>(p, first, due);
  }
}

// Stores the sums from number `first` on.
LATHE_INLINE void storeSums(const AmxProduct &p, int64_t first, DueSums &due) {
  eachNumber<0, 6>([&]<int Sum>() LATHE_BODY {
    if (Sum >= first)
      due.storeSum<Sum>(p);
  });
}

LATHE_INLINE void addSweep(const AmxProduct &p, const AmxBlock &block, const Sweep &sweep,
                           const char *pairs, int64_t make_share, PairMaker &maker, DueSums &due) {
  const char *x =
      p.terms + block.k / p.a.block * p.a.block_steps * p.a.stepBytes() + sweep.t * p.a.tile_bytes;
  int64_t products = block.steps() * p.a.terms;
  int64_t add_share = ceilDiv(amx_width * due.rows(p), larger<int64_t>(products - 1, 1));
  if (sweep.x_tiles < due.sweep.x_tiles)
    storeSums(p, amx_width * sweep.x_tiles, due); // the tiles are needed for x
  multiplyStep(p, sweep.x_tiles, x, pairs, true, due);
  maker.make(make_share);
#pragma clang loop unroll(disable)
  for (int64_t i = 1; i < products; ++i) {
    multiplyStep(p, sweep.x_tiles, x + i * p.a.product_bytes,
                 pairs + i / p.a.terms * amx_tile_bytes, false, due);
    due.add(p, add_share);
    maker.make(make_share);
  }
  if (products == 1)
    due.add(p, add_share);
  due = {{block.codes[0], block.codes[1]}, block.column, block.k, sweep};
}

// Adds what is still in tiles.
LATHE_INLINE void addLast(const AmxProduct &p, DueSums &due) {
  storeSums(p, 0, due);
  due.add(p, amx_width * due.rows(p));
  due.sweep = {};
}

LATHE_INLINE void addBlockOfK(const AmxProduct &p, const AmxBlock &block, const char *pairs,
                              PairMaker &maker, DueSums &due) {
  int64_t sweeps = block.tiles ? sweepCount(p.a.tiles) : 0;
  int64_t share = inPlace(p.a) ? amx_k / 8
                  : sweeps     ? ceilDiv(maker.left, block.steps() * p.a.terms * sweeps)
                               : 0;
  for (int64_t i = 0; i < sweeps; ++i)
    addSweep(p, block, sweepAt(i, p.a.tiles), pairs, share, maker, due);
  maker.make(maker.left);
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
    AmxBlock result = {{},     tiles, panel,
                       column, k,     w.k % block == 0 ? block : smaller(block, w.k - k)};
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
  // Behind a tile's end codes are asked for in the one of the next panel, whose end is asked for at
  // the beginning.
  LATHE_INLINE PairMaker maker(const AmxBlock &from, char *pairs) const {
    static_assert(longest_block <= zero_exponents_k);
    bool whole = w.k % amx_k == 0 && block % amx_k == 0;
    int64_t next = amx_panel / S * w.tile_bytes;
    PairMaker maker = {.codes = {},
                       .zero_exponents = {},
                       .pairs = pairs,
                       .format = w.format,
                       .ahead = prefetchDistance(from.k, next, w),
                       .length = from.length,
                       .whole = whole,
                       .left = from.tiles ? from.steps() * (amx_k / 8) : 0};
    for (int64_t i = 0; i < amx_width && from.tiles; ++i) {
      maker.codes[i] = from.codes[i] + from.k * codeRowBytes(w.format);
      if (w.format == Format::e4m3 && whole)
        maker.zero_exponents[i] = zeroExponents(from.codes[i], w, from.k);
      if (from.k == 0)
        prefetchTileEnd(from.codes[i] + next, w);
    }
    return maker;
  }
};

template <int S, typename Finish>
LATHE_INLINE void finishPanel(const AmxProduct &p, int64_t tile, int64_t tiles, Finish finish) {
  for (int64_t r = 0; r < p.a.count; ++r)
    for (int64_t t = 0; t < tiles / S; ++t) {
      f32x16 results[S];
      for (int s = 0; s < S; ++s)
        results[s] = load16(p.total(t * S + s, r));
      finish(p.first_row + r, tile + t, results);
    }
}

// Asked for once for each block that a panel has.
template <int S, typename Finish>
LATHE_INLINE ResultLines<Finish> linesOf(const AmxProduct &p, const AmxTiles<S> &tiles,
                                         int64_t panel, const Finish &finish) {
  int64_t columns = tiles.columns(panel);
  ResultLines<Finish> lines = {&finish, p.first_row, p.first_row + p.a.count, panel, columns / S};
  lines.cut(ceilDiv(p.w.k, tiles.block) * ceilDiv(columns, amx_width));
  return lines;
}

// All tiles of a call, a block of rows.
template <int S, typename Finish>
LATHE_INLINE void blockOfRows(const AmxProduct &p, const AmxTiles<S> &tiles, int64_t begin,
                              Finish finish) {
  alignas(64) char pairs[2][amx_width * amx_pairs_stride];
  DueSums due;
  p.clearTotals();
  AmxBlock block = {}, next = tiles.at(begin, 0, 0); // pairs are made a block ahead
  ResultLines<Finish> lines = linesOf(p, tiles, begin, finish);
  for (int64_t turn = 0; block.tiles > 0 || next.tiles > 0; turn = inPlace(p.a) ? 0 : 1 - turn) {
    PairMaker maker = tiles.maker(next, pairs[inPlace(p.a) ? 0 : 1 - turn]);
    addBlockOfK(p, block, pairs[turn], maker, due);
    lines.askSome();
    if (block.tiles > 0 && tiles.isLast(block)) {
      addLast(p, due);
      finishPanel<S>(p, block.panel, tiles.columns(block.panel), finish);
      lines = linesOf(p, tiles, next.panel, finish);
      p.clearTotals();
    }
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
  alignas(64) float totals[amx_panel * amx_rows * 16], sums[amx_width * amx_sweep_rows * 16];
  if (begin >= end || count <= 0)
    return;
  bool as_they_lie = takesRowsAsTheyLie(w, xp);
  int64_t rows_of_block = ceilDiv(count, ceilDiv(count, amxMaxRows(w, xp)));
  for (int64_t first = 0; first < count; first += rows_of_block) {
    AmxRows a = amxRows(smaller(rows_of_block, count - first), as_they_lie, w, xp);
    configure(a);
    if (!as_they_lie)
      termsOfRows(rows, first, a, w.k, xp, terms);
    blockOfRows<S>(
        {rows, first, a, as_they_lie ? rowOf(rows, first, xp) : terms, w, xp, totals, sums},
        AmxTiles<S>{stacks, end, w, a.block}, begin, finish);
  }
  releaseTiles();
}

} // namespace lathe::x86
#endif
