// Rows times packed tiles: what all linear kernels share. Two forms that give the same bits:
//   one row   a few tiles at a time straight from their codes, a chain of sums per tile;
//   many rows a chunk of each tile's codes is converted once to f32 that stays in L1/L2, then
//             register tiles of rows run over it.
// In both, the sum of a block of k (at most 256) is one chain along rising k, and blocks are added
// in rising order, each with its scales.
#pragma once

#include "backends/x86/kernels/linear.h"
#include "backends/x86/kernels/number.h"

namespace lathe::x86 {

constexpr int64_t chunk_k = 256;           // inputs that are converted at a time
constexpr int64_t x_stride = chunk_k + 16; // floats between rows that are copied side by side
constexpr int panel_tiles = 4;             // tiles that are converted at a time
constexpr int64_t row_block = 96;          // rows whose totals are kept at a time
constexpr int vector_tiles = LATHE_X86_WIDE ? 8 : 4; // tiles of the one-row form
constexpr int register_rows = LATHE_X86_WIDE ? 12 : 6;
constexpr int register_tiles = LATHE_X86_WIDE ? 2 : 1;
constexpr int64_t prefetch_bytes = 2048; // ahead of what is read; the best of 0.5 to 8 KiB on Zen 3

// The rows of x: row i is x + (order ? order[i] / divisor : i) * stride.
struct XRows {
  const float *x;
  const float *scales;
  const int32_t *order;
  int64_t divisor;
};

LATHE_INLINE int64_t sourceRow(const XRows &rows, int64_t i) {
  return rows.order ? rows.order[i] / rows.divisor : i;
}

// How many k are summed before scales come in.
LATHE_INLINE int64_t sumBlock(const WeightParams &w, const XParams &x) {
  int64_t whole = x.block ? x.block : 128;
  int64_t block = w.scale_mode == ScaleMode::none || w.scale_block_k >= w.k ? whole
                  : w.scale_block_k <= chunk_k                              ? w.scale_block_k
                                                                            : 128;
  return x.block && block > x.block ? x.block : block;
}

// total + sum, with the scales of the block that begins at k. x_scales: of the row.
LATHE_INLINE f32x16 addBlock(f32x16 total, f32x16 sum, const char *tile, const float *x_scales,
                             int64_t k, const WeightParams &w, const XParams &x) {
  const char *scales = tile + codeBytes(w.k, w.format);
  if (w.scale_mode == ScaleMode::none && decodeFactor(w.format) == 1.0f && !x.block)
    return total + sum;
  f32x16 scale = splat(decodeFactor(w.format));
  if (w.scale_mode == ScaleMode::tile)
    scale = scale * load<float>(scales + k / w.scale_block_k * 4);
  if (w.scale_mode == ScaleMode::lane)
    scale = scale * load<f32x16>(scales + k / w.scale_block_k * 64);
  if (x.block)
    scale = scale * x_scales[k / x.block];
  return fma(sum, scale, total);
}

// Tiles one after the other: their loads mixed would need more registers than AVX2 has.
LATHE_INLINE void keepOrder() {
  if (!LATHE_X86_WIDE)
    asm volatile("" ::: "memory");
}

// One row times T tiles.
template <int T>
LATHE_INLINE void rowProduct(const float *x, const float *x_scales, const char *const *tiles,
                             const WeightParams &w, const XParams &xp, f32x16 *totals) {
  int64_t block = sumBlock(w, xp), code_bytes = 16 * formatBytes(w.format);
  for (int t = 0; t < T; ++t)
    totals[t] = f32x16{};
  for (int64_t k0 = 0; k0 < w.k; k0 += block) {
    int64_t end = smaller(k0 + block, w.k), k = k0;
    f32x16 sums[T] = {};
    for (; k + 4 <= end; k += 4)
      for (int t = 0; t < T; ++t) {
        keepOrder();
        const char *codes = tiles[t] + k * code_bytes;
        for (int64_t line = 0; line < 4 * code_bytes; line += 64)
          __builtin_prefetch(codes + line + prefetch_bytes, 0, 3);
        f32x16 w0, w1, w2, w3;
        decodePair(codes, w.format, w0, w1);
        decodePair(codes + 2 * code_bytes, w.format, w2, w3);
        sums[t] = fma(splat(x[k]), w0, sums[t]);
        sums[t] = fma(splat(x[k + 1]), w1, sums[t]);
        sums[t] = fma(splat(x[k + 2]), w2, sums[t]);
        sums[t] = fma(splat(x[k + 3]), w3, sums[t]);
      }
    for (; k < end; ++k)
      for (int t = 0; t < T; ++t)
        sums[t] = fma(splat(x[k]), decode(tiles[t] + k * code_bytes, w.format), sums[t]);
    for (int t = 0; t < T; ++t)
      totals[t] = addBlock(totals[t], sums[t], tiles[t], x_scales, k0, w, xp);
  }
}

// `length` codes of a tile from k on, as f32 [length][16].
LATHE_INLINE void convertChunk(const char *tile, const WeightParams &w, int64_t k, int64_t length,
                               float *out) {
  int64_t code_bytes = 16 * formatBytes(w.format), i = 0;
  const char *codes = tile + k * code_bytes;
  for (; i + 2 <= length; i += 2) {
    f32x16 first, second;
    decodePair(codes + i * code_bytes, w.format, first, second);
    store16(out + i * 16, first);
    store16(out + i * 16 + 16, second);
  }
  if (i < length)
    store16(out + i * 16, decode(codes + i * code_bytes, w.format));
}

// sums[r][t] += x[r][k] * weights[t][k] over `length` k. Rows are x_stride floats apart, tiles
// tile_stride floats, the 16 of consecutive k w_stride floats.
template <int R, int T>
LATHE_INLINE void registerTile(const float *x, const float *weights, int64_t w_stride,
                               int64_t tile_stride, int64_t length, f32x16 (&sums)[R][T]) {
  for (int64_t k = 0; k < length; ++k) {
    f32x16 w[T];
    for (int t = 0; t < T; ++t)
      w[t] = load16(weights + t * tile_stride + k * w_stride);
    for (int r = 0; r < R; ++r)
      for (int t = 0; t < T; ++t)
        sums[r][t] = fma(splat(x[r * x_stride + k]), w[t], sums[r][t]);
  }
}

// What the totals of a block of rows are made from: a chunk of k of some tiles.
struct Chunk {
  const float *weights; // [tile][chunk_k][16]
  const char *const *tiles;
  int64_t k;
  int64_t length;
};

template <int R, int T>
LATHE_INLINE void addRows(const float *x, const XRows &rows, int64_t first_row, const Chunk &chunk,
                          int tile, const WeightParams &w, const XParams &xp, float *totals) {
  int64_t block = sumBlock(w, xp);
  for (int64_t done = 0; done < chunk.length; done += block) {
    f32x16 sums[R][T] = {};
    registerTile<R, T>(x + done, chunk.weights + (tile * chunk_k + done) * 16, 16, chunk_k * 16,
                       smaller(block, chunk.length - done), sums);
    for (int r = 0; r < R; ++r) {
      const float *x_scales =
          xp.block ? rows.scales + sourceRow(rows, first_row + r) * xp.scale_stride : nullptr;
      for (int t = 0; t < T; ++t) {
        float *total = totals + (t * row_block + r) * 16;
        store16(total, addBlock(load16(total), sums[r][t], chunk.tiles[tile + t], x_scales,
                                chunk.k + done, w, xp));
      }
    }
  }
}

// R rows, all tiles of the panel. The rows are copied side by side first: where they lie, strides
// of a power of two put them into the same few lines of L1.
template <int R>
LATHE_INLINE void addRowGroup(const XRows &rows, int64_t first_row, const Chunk &chunk, int tiles,
                              const WeightParams &w, const XParams &xp, float *totals) {
  alignas(64) float x[R * x_stride];
  for (int r = 0; r < R; ++r)
    __builtin_memcpy(x + r * x_stride,
                     rows.x + sourceRow(rows, first_row + r) * xp.stride + chunk.k,
                     static_cast<size_t>(chunk.length) * 4);
  int t = 0;
  for (; t + register_tiles <= tiles; t += register_tiles)
    addRows<R, register_tiles>(x, rows, first_row, chunk, t, w, xp, totals + t * row_block * 16);
  for (; register_tiles > 1 && t < tiles; ++t)
    addRows<R, 1>(x, rows, first_row, chunk, t, w, xp, totals + t * row_block * 16);
}

// totals[tile][row][16] of up to row_block rows and panel_tiles tiles.
LATHE_INLINE void blockProduct(const XRows &rows, int64_t first_row, int64_t count,
                               const char *const *tile_codes, int tiles, const WeightParams &w,
                               const XParams &xp, float *totals) {
  alignas(64) float converted[panel_tiles * chunk_k * 16];
  int64_t block = sumBlock(w, xp), step = chunk_k / block * block;
  for (int t = 0; t < tiles; ++t)
    __builtin_memset(totals + t * row_block * 16, 0, static_cast<size_t>(count) * 64);
  for (int64_t k = 0; k < w.k; k += step) {
    Chunk chunk = {converted, tile_codes, k, smaller(step, w.k - k)};
    for (int t = 0; t < tiles; ++t)
      convertChunk(tile_codes[t], w, k, chunk.length, converted + t * chunk_k * 16);
    int64_t r = 0;
    for (; r + register_rows <= count; r += register_rows)
      addRowGroup<register_rows>(rows, first_row + r, chunk, tiles, w, xp, totals + r * 16);
    for (; r + 4 <= count; r += 4)
      addRowGroup<4>(rows, first_row + r, chunk, tiles, w, xp, totals + r * 16);
    for (; r < count; ++r)
      addRowGroup<1>(rows, first_row + r, chunk, tiles, w, xp, totals + r * 16);
  }
}

// The products of `count` rows with the tiles [begin, end) of S stacks at `stacks`, which share one
// layout. finish(row, tile, f32x16 totals[S]) takes each result once.
template <int S, typename Finish>
LATHE_INLINE void manyRows(const XRows &rows, int64_t count, const char *const *stacks,
                           int64_t begin, int64_t end, const WeightParams &w, const XParams &xp,
                           Finish finish) {
  constexpr int step = panel_tiles / S;
  alignas(64) float totals[panel_tiles * row_block * 16];
  for (int64_t tile = begin; tile < end; tile += step) {
    int group = static_cast<int>(smaller<int64_t>(step, end - tile));
    const char *codes[panel_tiles];
    for (int t = 0; t < group; ++t)
      for (int s = 0; s < S; ++s)
        codes[t * S + s] = stacks[s] + (tile + t) * w.tile_bytes;
    for (int64_t first = 0; first < count; first += row_block) {
      int64_t block = smaller(row_block, count - first);
      blockProduct(rows, first, block, codes, group * S, w, xp, totals);
      for (int64_t r = 0; r < block; ++r)
        for (int t = 0; t < group; ++t) {
          f32x16 results[S];
          for (int s = 0; s < S; ++s)
            results[s] = load16(totals + ((t * S + s) * row_block + r) * 16);
          finish(first + r, tile + t, results);
        }
    }
  }
}

template <int S, int T, typename Finish>
LATHE_INLINE void rowTiles(const XRows &rows, const char *const *stacks, int64_t tile,
                           const WeightParams &w, const XParams &xp, Finish finish) {
  const char *codes[S * T];
  f32x16 totals[S * T];
  for (int t = 0; t < T; ++t)
    for (int s = 0; s < S; ++s)
      codes[t * S + s] = stacks[s] + (tile + t) * w.tile_bytes;
  int64_t row = sourceRow(rows, 0);
  rowProduct<S * T>(rows.x + row * xp.stride,
                    xp.block ? rows.scales + row * xp.scale_stride : nullptr, codes, w, xp, totals);
  for (int t = 0; t < T; ++t)
    finish(int64_t{0}, tile + t, totals + t * S);
}

template <int S, typename Finish>
LATHE_INLINE void oneRow(const XRows &rows, const char *const *stacks, int64_t begin, int64_t end,
                         const WeightParams &w, const XParams &xp, Finish finish) {
  int64_t tile = begin;
  for (; tile + vector_tiles / S <= end; tile += vector_tiles / S)
    rowTiles<S, vector_tiles / S>(rows, stacks, tile, w, xp, finish);
  for (constexpr int half = vector_tiles / 2 / S; half > 1 && tile + half <= end; tile += half)
    rowTiles<S, half>(rows, stacks, tile, w, xp, finish);
  for (; tile < end; ++tile)
    rowTiles<S, 1>(rows, stacks, tile, w, xp, finish);
}

template <int S, typename Finish>
LATHE_INLINE void product(const XRows &rows, int64_t count, const char *const *stacks,
                          int64_t begin, int64_t end, const WeightParams &w, const XParams &xp,
                          Finish finish) {
  if (count == 1)
    return oneRow<S>(rows, stacks, begin, end, w, xp, finish);
  manyRows<S>(rows, count, stacks, begin, end, w, xp, finish);
}

// The same over the rows of a source that is known when code is made: a decode step has one row, a
// prefill step seldom; so neither carries the code of the other form.
template <int S, typename Finish>
LATHE_INLINE void product(const XRows &rows, int64_t source, int64_t count,
                          const char *const *stacks, int64_t begin, int64_t end,
                          const WeightParams &w, const XParams &xp, Finish finish) {
  if (source == RowSource::none)
    oneRow<S>(rows, stacks, begin, end, w, xp, finish);
  else if (source == RowSource::rows)
    manyRows<S>(rows, count, stacks, begin, end, w, xp, finish);
  else
    product<S>(rows, count, stacks, begin, end, w, xp, finish);
}

// Item i of a kernel whose items are (outer, group of tiles), with the items behind it up to `end`
// that have the same outer: their tiles are one run, and the one-row form wants many at a time.
struct TileItem {
  int64_t outer;
  int64_t begin; // tiles
  int64_t end;
  int64_t next; // the first item that is not in it
};
LATHE_INLINE TileItem tileItem(int64_t item, int64_t end, int64_t n, int64_t tiles_per_item) {
  int64_t tiles = tileCount(n), groups = ceilDiv(tiles, tiles_per_item), outer = item / groups;
  int64_t next = smaller(end, (outer + 1) * groups);
  return {outer, item % groups * tiles_per_item,
          smaller(tiles, (next - outer * groups) * tiles_per_item), next};
}

} // namespace lathe::x86
