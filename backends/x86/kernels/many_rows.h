// Many rows times packed tiles: a chunk of each tile's codes is converted once to f32 that stays in
// L1 or L2, then register tiles of rows run over it.
#pragma once

#include "backends/x86/kernels/nibbles.h"
#include "backends/x86/kernels/register_tile.h"
#include "backends/x86/kernels/sum_block.h"

namespace lathe::x86 {

constexpr int64_t chunk_k = longest_block; // inputs that are converted at a time
constexpr int64_t x_stride = chunk_k + 16; // floats between rows that are copied side by side
constexpr int panel_tiles = 4;             // tiles that are converted at a time
constexpr int64_t row_block = 96;          // rows whose totals are kept at a time
constexpr int register_rows = LATHE_X86_WIDE ? 12 : 6;
constexpr int register_tiles = LATHE_X86_WIDE ? 2 : 1;

// `length` codes of a tile from k on, as f32 [length][16].
LATHE_INLINE void convertChunk(const char *tile, const WeightParams &w, int64_t k, int64_t length,
                               float *out) {
  if (w.format == Format::i4)
    return convertNibbles(tile, k, length, out);
  int64_t code_bytes = codeRowBytes(w.format), i = 0;
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

// A few tiles.
struct Panel {
  const char *codes[panel_tiles];
  int tiles;
};

// Rows [first, first + count) of x.
struct RowBlock {
  const XRows &rows;
  int64_t first;
  int64_t count;
};

// Asks for the R rows of a block from `row` on, or for the first ones in the next chunk of k. Where
// rows do not fit into L2, this made 512 of them 4 (AVX-512) to 10 % (AVX2) faster.
template <int R>
LATHE_INLINE void prefetchRows(const RowBlock &block, int64_t row, int64_t k, int64_t length,
                               int64_t k_end, const XParams &xp) {
  if (row >= block.count)
    row = 0, k += length;
  if (k >= k_end || xp.rows_in == RowsIn::bf16_steps) // steps lie one behind the other
    return;
  int64_t bytes = smaller(length, k_end - k) * valueBytes(xp.rows_in);
  for (int r = 0; r < smaller<int64_t>(R, block.count - row); ++r)
    for (int64_t i = 0; i < bytes; i += 64)
      __builtin_prefetch(rowOf(block.rows, block.first + row + r, xp) +
                             columnBytes(xp.rows_in, xp.stride, k) + i,
                         0, 3);
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
    registerTile<R, T>(x + done, x_stride, chunk.weights + (tile * chunk_k + done) * 16, 16,
                       chunk_k * 16, smaller(block, chunk.length - done), sums);
    for (int r = 0; r < R; ++r) {
      const float *x_scales =
          xp.block ? rows.scales + sourceRow(rows, first_row + r) * xp.scale_stride : nullptr;
      for (int t = 0; t < T; ++t) {
        float *total = totals + (t * row_block + r) * 16;
        store16(total, addBlock(load16(total), sums[r][t], decodeFactor(w.format),
                                chunk.tiles[tile + t], x_scales, chunk.k + done, w, xp));
      }
    }
  }
}

// R rows of a block from `row` on, all tiles of the panel. The rows are copied side by side first:
// where they lie, strides of a power of two put them into the same few lines of L1.
template <int R>
LATHE_INLINE void addRowGroup(const RowBlock &block, int64_t row, const Chunk &chunk, int tiles,
                              const WeightParams &w, const XParams &xp, float *totals) {
  alignas(64) float x[R * x_stride];
  const XRows &rows = block.rows;
  int64_t first_row = block.first + row;
  for (int r = 0; r < R; ++r)
    copyRow(rowOf(rows, first_row + r, xp), chunk.k, chunk.length, xp, x + r * x_stride);
  prefetchRows<R>(block, row + R, chunk.k, chunk.length, w.k, xp);
  int t = 0;
  for (; t + register_tiles <= tiles; t += register_tiles)
    addRows<R, register_tiles>(x, rows, first_row, chunk, t, w, xp, totals + t * row_block * 16);
  for (; register_tiles > 1 && t < tiles; ++t)
    addRows<R, 1>(x, rows, first_row, chunk, t, w, xp, totals + t * row_block * 16);
}

// totals[tile][row][16] of up to row_block rows and panel_tiles tiles.
LATHE_INLINE void blockProduct(const RowBlock &rows, const Panel &panel, const WeightParams &w,
                               const XParams &xp, float *totals) {
  alignas(64) float converted[panel_tiles * chunk_k * 16];
  int64_t block = sumBlock(w, xp), step = (block <= 128 ? 128 : chunk_k) / block * block;
  for (int t = 0; t < panel.tiles; ++t)
    __builtin_memset(totals + t * row_block * 16, 0, static_cast<size_t>(rows.count) * 64);
  for (int64_t k = 0; k < w.k; k += step) {
    Chunk chunk = {converted, panel.codes, k, smaller(step, w.k - k)};
    for (int t = 0; t < panel.tiles; ++t)
      convertChunk(panel.codes[t], w, k, chunk.length, converted + t * chunk_k * 16);
    int64_t r = 0;
    for (; r + register_rows <= rows.count; r += register_rows)
      addRowGroup<register_rows>(rows, r, chunk, panel.tiles, w, xp, totals + r * 16);
    for (; r + 4 <= rows.count; r += 4)
      addRowGroup<4>(rows, r, chunk, panel.tiles, w, xp, totals + r * 16);
    for (; r < rows.count; ++r)
      addRowGroup<1>(rows, r, chunk, panel.tiles, w, xp, totals + r * 16);
  }
}

// The tiles [begin, end) of S stacks in panels, and rows in blocks: product(rows, panel, totals)
// makes totals[tile][row][16], finish takes them.
template <int S, typename Product, typename Finish>
LATHE_INLINE void eachPanel(const XRows &rows, int64_t count, const char *const *stacks,
                            int64_t begin, int64_t end, const WeightParams &w, Product product,
                            Finish finish) {
  constexpr int step = panel_tiles / S;
  alignas(64) float totals[panel_tiles * row_block * 16];
  for (int64_t tile = begin; tile < end; tile += step) {
    int group = static_cast<int>(smaller<int64_t>(step, end - tile));
    Panel panel = {{}, group * S};
    for (int t = 0; t < group; ++t)
      for (int s = 0; s < S; ++s)
        panel.codes[t * S + s] = stacks[s] + (tile + t) * w.tile_bytes;
    for (int64_t first = 0; first < count; first += row_block) {
      RowBlock block = {rows, first, smaller(row_block, count - first)};
      product(block, panel, totals);
      for (int64_t r = 0; r < block.count; ++r)
        for (int t = 0; t < group; ++t) {
          f32x16 results[S];
          for (int s = 0; s < S; ++s)
            results[s] = load16(totals + ((t * S + s) * row_block + r) * 16);
          finish(first + r, tile + t, results);
        }
    }
  }
}

// See manyRows in product.h.
template <int S, typename Finish>
LATHE_INLINE void manyRowsInVectors(const XRows &rows, int64_t count, const char *const *stacks,
                                    int64_t begin, int64_t end, const WeightParams &w,
                                    const XParams &xp, Finish finish) {
  eachPanel<S>(
      rows, count, stacks, begin, end, w,
      [&](const RowBlock &block, const Panel &panel, float *totals)
          LATHE_BODY { blockProduct(block, panel, w, xp, totals); },
      finish);
}

} // namespace lathe::x86
