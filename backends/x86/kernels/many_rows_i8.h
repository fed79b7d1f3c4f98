// Many rows of i8 times packed tiles of i8 or i4, in integers: 64 products an instruction where
// there is VNNI and f32 vectors have 16. Sums over a block of 32 k are exact, so all forms, and f32
// of a decode step, give the same bits.
//
// Bound: for 32 k of a row and a tile, 8 instructions of products with VNNI (on AVX2 32 pairs of
// product and sum for codes of 8 bits, 16 for 4) and 3 that bring in scales (AVX2: 6).
#pragma once

#include "backends/x86/kernels/dots.h"
#include "backends/x86/kernels/many_rows.h"

namespace lathe::x86 {

constexpr int64_t dots_chunk = 256; // k that are converted at a time
constexpr int64_t dots_blocks = dots_chunk / dots_k;
constexpr int dots_rows = 6; // in registers; with two tiles 12 sums, and as many totals beside them
constexpr int few_dots_rows = 2;
constexpr int dots_tiles = LATHE_X86_WIDE ? 2 : 1;

// A chunk of k of T tiles, block by block.
template <typename Dots, int T> struct DotsTiles {
  alignas(64) char weights[T][dots_blocks][Dots::weight_bytes];
  alignas(64) i32x16 corrections[T][dots_blocks];
  alignas(64) f32x16 scales[T][dots_blocks];
};

// A chunk of a block of rows, side by side.
template <typename Dots> struct DotsRows {
  alignas(64) char codes[row_block][dots_blocks * Dots::row_bytes];
  const float *scales[row_block];
};

template <typename Dots> LATHE_INLINE i32x16 correctionOf(const char *weights) {
  i32x16 sum = Dots::begin({}), bias = i32x16{} + static_cast<int32_t>(0x80808080u);
  for (int64_t i = 0; i < dots_k / Dots::word_k; ++i)
    sum = Dots::add(sum, bias, load<i32x16>(weights + i * 64));
  return -Dots::end(sum, {});
}

// A block of a tile from k on; codes of 0 behind the last.
template <typename Dots>
LATHE_INLINE void takeBlock(const char *tile, const WeightParams &w, int64_t k, char *to) {
  bool nibbles = w.format == Format::i4;
  const char *codes = tile + k * codeRowBytes(w.format);
  if (k + dots_k <= w.k)
    return Dots::takeWeights(codes, nibbles, to);
  alignas(64) char filled[dots_k * 16];
  __builtin_memset(filled, nibbles ? 0x88 : 0, sizeof(filled));
  int64_t stored = nibbles ? roundUp(w.k - k, x86::nibbles) : w.k - k;
  __builtin_memcpy(filled, codes, static_cast<size_t>(stored * codeRowBytes(w.format)));
  Dots::takeWeights(filled, nibbles, to);
}

// Asks for the codes of the next chunk.
template <typename Dots, int T>
LATHE_INLINE void takeTile(const char *tile, const WeightParams &w, int64_t k, int64_t blocks,
                           int place, DotsTiles<Dots, T> &tiles) {
  const char *next = tile + (k + blocks * dots_k) * codeRowBytes(w.format);
  for (int64_t b = 0; b < blocks; ++b) {
    for (int64_t line = 0; line < dots_k * codeRowBytes(w.format); line += 64)
      __builtin_prefetch(next + b * dots_k * codeRowBytes(w.format) + line, 0, 3);
    char *weights = tiles.weights[place][b];
    takeBlock<Dots>(tile, w, k + b * dots_k, weights);
    if (Dots::word_k == 4)
      tiles.corrections[place][b] = correctionOf<Dots>(weights);
    tiles.scales[place][b] = blockScale(1.0f, tile, k + b * dots_k, w);
  }
}

template <typename Dots>
LATHE_INLINE void takeRow(const char *codes, int64_t length, bool nibbles, char *to) {
  int64_t k = 0;
  for (; k + dots_k <= length; k += dots_k, to += Dots::row_bytes)
    Dots::takeRow(load<i8x32>(codes + k), nibbles, to);
  if (k == length)
    return;
  i8x32 last = {};
  __builtin_memcpy(&last, codes + k, static_cast<size_t>(length - k));
  Dots::takeRow(last, nibbles, to);
}

// totals[t][r] += R rows from `row` on times T tiles.
template <typename Dots, int R, int T>
LATHE_INLINE void addDots(const DotsRows<Dots> &x, int64_t row, const DotsTiles<Dots, T> &tiles,
                          int64_t blocks, float *totals) {
  constexpr int64_t words = dots_k / Dots::word_k;
  f32x16 sums[R][T];
  for (int r = 0; r < R; ++r)
    for (int t = 0; t < T; ++t)
      sums[r][t] = load16(totals + (t * row_block + row + r) * 16);
  for (int64_t b = 0; b < blocks; ++b) {
    i32x16 dots[R][T];
    for (int r = 0; r < R; ++r)
      for (int t = 0; t < T; ++t)
        dots[r][t] = Dots::begin(tiles.corrections[t][b]);
    for (int64_t i = 0; i < words; ++i) {
      i32x16 w[T];
      for (int t = 0; t < T; ++t)
        w[t] = load<i32x16>(tiles.weights[t][b] + i * 64);
      for (int r = 0; r < R; ++r) {
        i32x16 word = wordInAllLanes(x.codes[row + r] + (b * words + i) * 4);
        for (int t = 0; t < T; ++t)
          dots[r][t] = Dots::add(dots[r][t], word, w[t]);
      }
    }
    for (int r = 0; r < R; ++r)
      for (int t = 0; t < T; ++t) {
        i32x16 sum = Dots::end(dots[r][t], tiles.corrections[t][b]);
        sums[r][t] = fma(__builtin_convertvector(sum, f32x16),
                         tiles.scales[t][b] * x.scales[row + r][b], sums[r][t]);
      }
  }
  for (int r = 0; r < R; ++r)
    for (int t = 0; t < T; ++t)
      store16(totals + (t * row_block + row + r) * 16, sums[r][t]);
}

// totals[t][row] += `count` rows times T tiles, `length` k from k on.
template <typename Dots, int T>
LATHE_INLINE void addTilesOfDots(const DotsRows<Dots> &x, int64_t count, const char *const *tiles,
                                 int64_t k, int64_t length, const WeightParams &w, float *totals) {
  DotsTiles<Dots, T> taken;
  int64_t blocks = ceilDiv(length, dots_k);
  for (int t = 0; t < T; ++t)
    takeTile(tiles[t], w, k, blocks, t, taken);
  eachRowGroup<dots_rows, few_dots_rows>(count, [&]<int R>(int64_t row) LATHE_BODY {
    addDots<Dots, R, T>(x, row, taken, blocks, totals);
  });
}

// As blockProduct.
template <typename Dots, typename Lines>
LATHE_INLINE void blockOfDots(const RowBlock &block, const Panel &panel, const WeightParams &w,
                              const XParams &xp, Lines lines, float *totals) {
  DotsRows<Dots> x;
  int64_t computed = roundUp(block.count, few_dots_rows);
  clearTotals(computed, panel.tiles, totals);
  lines.cut(ceilDiv(w.k, dots_chunk) * ceilDiv(panel.tiles, dots_tiles));
  for (int64_t k = 0; k < w.k; k += dots_chunk) {
    int64_t length = smaller(dots_chunk, w.k - k);
    for (int64_t r = 0; r < computed; ++r) {
      int64_t i = rowAt(block, r);
      takeRow<Dots>(rowOf(block.rows, i, xp) + k, length, w.format == Format::i4, x.codes[r]);
      x.scales[r] = rowScales(block.rows, i, xp) + k / dots_k;
    }
    eachTileGroup<dots_tiles>(panel.tiles, [&]<int T>(int t) LATHE_BODY {
      lines.askSome();
      addTilesOfDots<Dots, T>(x, block.count, panel.codes + t, k, length, w,
                              totals + t * row_block * 16);
    });
  }
}

// See manyRows in product.h.
template <int S, typename Finish>
LATHE_INLINE void manyRowsInIntegers(const XRows &rows, int64_t count, const char *const *stacks,
                                     int64_t begin, int64_t end, const WeightParams &w,
                                     const XParams &xp, Finish finish) {
  eachPanel<S>(
      rows, count, stacks, begin, end, w,
      [&](const RowBlock &block, const Panel &panel, auto lines, float *totals) LATHE_BODY {
        if (LATHE_X86_VNNI)
          blockOfDots<FourDots>(block, panel, w, xp, lines, totals);
        else if (w.format == Format::i4)
          blockOfDots<NibbleDots>(block, panel, w, xp, lines, totals);
        else
          blockOfDots<PairDots>(block, panel, w, xp, lines, totals);
      },
      finish);
}

} // namespace lathe::x86
