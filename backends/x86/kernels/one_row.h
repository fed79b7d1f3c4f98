// One row times packed tiles: a few tiles at a time straight from their codes, on 512-bit registers
// by lines of 64 bytes, else a chain of sums per tile.
#pragma once

#include "backends/x86/kernels/nibbles.h"
#include "backends/x86/kernels/one_row_e4m3.h"
#include "backends/x86/kernels/one_row_i4.h"
#include "backends/x86/kernels/one_row_i4_f32.h"
#include "backends/x86/kernels/wide_line.h"

namespace lathe::x86 {

constexpr int vector_tiles = LATHE_X86_WIDE ? 8 : 4; // tiles at a time

// sums[t] += x[k] * tile t over [k, end) in order.
template <int T>
LATHE_INLINE void addInOrder(const float *x, const char *const *tiles, int64_t k, int64_t end,
                             int64_t next, const WeightParams &w, f32x16 (&sums)[T]) {
  int64_t code_bytes = codeRowBytes(w.format), ahead = prefetchDistance(k, next, w);
  const char *codes[T];
  codesFrom<T>(tiles, k * code_bytes, codes);
  for (; k + 4 <= end; k += 4)
    for (int t = 0; t < T; ++t) {
      keepOrder();
      for (int64_t line = 0; line < 4 * code_bytes; line += 64)
        __builtin_prefetch(codes[t] + line + ahead, 0, 3);
      f32x16 w0, w1, w2, w3;
      decodePair(codes[t], w.format, w0, w1);
      decodePair(codes[t] + 2 * code_bytes, w.format, w2, w3);
      codes[t] += 4 * code_bytes;
      sums[t] = fma(splat(x[k]), w0, sums[t]);
      sums[t] = fma(splat(x[k + 1]), w1, sums[t]);
      sums[t] = fma(splat(x[k + 2]), w2, sums[t]);
      sums[t] = fma(splat(x[k + 3]), w3, sums[t]);
    }
  for (; k < end; ++k)
    for (int t = 0; t < T; ++t)
      sums[t] = fma(splat(x[k]), decode(tiles[t] + k * code_bytes, w.format), sums[t]);
}

// The same for i4; [k, end) begins at a whole word, or is one k. Narrow registers come here with
// one k alone (one_row_i4_f32.h).
template <int T>
LATHE_INLINE void addNibbles(const float *x, const char *const *tiles, int64_t k, int64_t end,
                             int64_t next, const WeightParams &w, f32x16 (&sums)[T]) {
  int64_t ahead = prefetchDistance(k, next, w);
  const char *codes[T];
  codesFrom<T>(tiles, k * codeRowBytes(Format::i4), codes);
  for (; k + nibbles <= end; k += nibbles)
    for (int t = 0; t < T; ++t) {
      __builtin_prefetch(codes[t] + ahead, 0, 3);
      f32x16 values[nibbles];
      decodeNibbles(codes[t], values);
      codes[t] += nibbles * codeRowBytes(Format::i4);
      for (int i = 0; i < nibbles; ++i)
        sums[t] = fma(splat(x[k + i]), values[i], sums[t]);
    }
  for (; k < end; ++k)
    for (int t = 0; t < T; ++t)
      sums[t] = fma(splat(x[k]), decodeNibble(tiles[t], k), sums[t]);
}

// The same by lines of 64 bytes, as far as they go, of formats that split lanes; returns
// where the rest begins.
template <int T>
LATHE_INLINE int64_t addLines(const float *x, const char *const *tiles, int64_t k, int64_t end,
                              int64_t next, const WeightParams &w, f32x16 (&sums)[T]) {
  int64_t step = lineK(w.format), code_bytes = codeRowBytes(w.format),
          ahead = prefetchDistance(k, next, w);
  Pair low[T] = {}, high[T] = {};
  for (; k + step <= end; k += step) {
    Pair pairs[2] = {pairOf(x[k], x[k + 1])};
    if (step == 4)
      pairs[1] = pairOf(x[k + 2], x[k + 3]);
    for (int t = 0; t < T; ++t) {
      __builtin_prefetch(tiles[t] + k * code_bytes + ahead, 0, 3);
      addLine(tiles[t] + k * code_bytes, w.format, pairs, low[t], high[t]);
    }
  }
  for (int t = 0; t < T; ++t)
    sums[t] = joinPairs(low[t], high[t]);
  return k;
}

template <int T>
LATHE_INLINE void floatProduct(const float *x, const float *x_scales, const char *const *tiles,
                               int64_t next, const WeightParams &w, const XParams &xp,
                               f32x16 *totals) {
  int64_t block = sumBlock(w, xp);
  for (int64_t k0 = 0; k0 < w.k; k0 += block) {
    int64_t end = smaller(k0 + block, w.k), k = k0;
    f32x16 sums[T] = {};
    prefetchScales<T>(tiles, k, next, w);
    if (LATHE_X86_WIDE && splitsLanes(w.format))
      k = addLines<T>(x, tiles, k, end, next, w, sums);
    if (w.format == Format::i4)
      addNibbles<T>(x, tiles, k, end, next, w, sums);
    else
      addInOrder<T>(x, tiles, k, end, next, w, sums);
    for (int t = 0; t < T; ++t)
      totals[t] =
          addBlock(totals[t], sums[t], decodeFactor(w.format), tiles[t], x_scales, k0, w, xp);
  }
}

// One row times T tiles. `next`: bytes from a tile to the one that is read after it in its place.
// row: from takeOneRow.
template <int T>
LATHE_INLINE void rowProduct(const char *row, const float *x_scales, const char *const *tiles,
                             int64_t next, const WeightParams &w, const XParams &xp,
                             f32x16 *totals) {
  for (int t = 0; t < T; ++t)
    totals[t] = f32x16{};
  if (takesNibbles(w, xp))
    nibbleProduct<T>(reinterpret_cast<const NibbleRowBlock *>(row), x_scales, tiles, next, w, xp,
                     totals);
  else if (takesWords(w))
    e4m3Product<T>(reinterpret_cast<const float *>(row), x_scales, tiles, next, w, xp, totals);
  else if (takesScaledNibbles(w, xp))
    scaledNibbleProduct<T>(reinterpret_cast<const float *>(row), x_scales, tiles, next, w, xp,
                           totals);
  else
    floatProduct<T>(reinterpret_cast<const float *>(row), x_scales, tiles, next, w, xp, totals);
}

// A row in the form that rowProduct takes: where it lies, or brought into it in oneRowBytes at
// `space`, which are aligned to 64.
constexpr int64_t oneRowBytes(const WeightParams &w, const XParams &xp) {
  return takesNibbles(w, xp)         ? ceilDiv(w.k, dots_k) * int64_t{sizeof(NibbleRowBlock)}
         : takesScaledNibbles(w, xp) ? scaledNibbleRowFloats(w, xp) * 4
         : takesWords(w) || xp.rows_in != RowsIn::f32 ? roundUp(w.k, 16) * 4
                                                      : 0;
}
LATHE_INLINE const char *takeOneRow(const char *row, const WeightParams &w, const XParams &xp,
                                    char *space) {
  if (takesNibbles(w, xp))
    takeNibbleRow(row, w.k, reinterpret_cast<NibbleRowBlock *>(space));
  else if (takesWords(w))
    takeWordRow(row, w, xp, reinterpret_cast<float *>(space));
  else if (takesScaledNibbles(w, xp))
    takeScaledNibbleRow(row, w, xp, reinterpret_cast<float *>(space));
  else if (xp.rows_in != RowsIn::f32)
    copyRow(row, 0, w.k, xp, reinterpret_cast<float *>(space));
  else
    return row;
  return space;
}

template <int S, int T, typename Finish>
LATHE_INLINE void rowTiles(const char *row, const float *x_scales, const char *const *stacks,
                           int64_t tile, const WeightParams &w, const XParams &xp, Finish finish) {
  const char *codes[S * T];
  f32x16 totals[S * T];
  for (int t = 0; t < T; ++t)
    for (int s = 0; s < S; ++s)
      codes[t * S + s] = stacks[s] + (tile + t) * w.tile_bytes;
  bool more = tile + T < tileCount(w.n); // behind a matrix nothing is known to be read
  rowProduct<S * T>(row, x_scales, codes, more ? T * w.tile_bytes : w.tile_bytes, w, xp, totals);
  for (int t = 0; t < T; ++t)
    finish(int64_t{0}, tile + t, totals + t * S);
}

template <int S, typename Finish>
LATHE_INLINE void oneRow(const XRows &rows, const char *const *stacks, int64_t begin, int64_t end,
                         const WeightParams &w, const XParams &xp, Finish finish) {
  const float *x_scales = rowScales(rows, 0, xp);
  char *space = LATHE_STACK_BYTES(oneRowBytes(w, xp));
  const char *row = takeOneRow(rowOf(rows, 0, xp), w, xp, space);
  int64_t tile = begin;
  for (; tile + vector_tiles / S <= end; tile += vector_tiles / S)
    rowTiles<S, vector_tiles / S>(row, x_scales, stacks, tile, w, xp, finish);
  for (constexpr int half = vector_tiles / 2 / S; half > 1 && tile + half <= end; tile += half)
    rowTiles<S, half>(row, x_scales, stacks, tile, w, xp, finish);
  for (; tile < end; ++tile)
    rowTiles<S, 1>(row, x_scales, stacks, tile, w, xp, finish);
}

} // namespace lathe::x86
