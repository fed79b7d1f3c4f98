// Many rows times packed tiles: the rows of a block are copied side by side, a chunk of k of each,
// into L2. Then tile after tile is converted to f32 that stays in L1, and register tiles of rows
// run over it.
#pragma once

#include "backends/x86/kernels/nibbles.h"
#include "backends/x86/kernels/register_tile.h"
#include "backends/x86/kernels/result_lines.h"
#include "backends/x86/kernels/sum_block.h"

namespace lathe::x86 {

constexpr int64_t chunk_k = longest_block; // inputs that are converted at a time
constexpr int64_t x_stride = chunk_k + 16; // floats between rows that are copied side by side
constexpr int panel_tiles = 8;             // tiles that the copied rows serve
constexpr int64_t row_block = 96;          // rows whose totals are kept at a time
constexpr int register_rows = LATHE_X86_WIDE ? 12 : 6;
constexpr int few_rows = LATHE_X86_WIDE ? 4 : 3;
constexpr int register_tiles = LATHE_X86_WIDE ? 2 : 1;

// `length` codes of a tile from k on, as f32 [length][16]. Asks for those of the next chunk.
LATHE_INLINE void convertChunk(const char *tile, const WeightParams &w, int64_t k, int64_t length,
                               float *out) {
  if (w.format == Format::i4)
    return convertNibbles(tile, k, length, out);
  int64_t code_bytes = codeRowBytes(w.format), i = 0;
  const char *codes = tile + k * code_bytes;
  for (; i + 2 <= length; i += 2) {
    for (int64_t line = 0; line < 2 * code_bytes; line += 64)
      if (code_bytes > 16 || i % 4 == 0)
        __builtin_prefetch(codes + (i + length) * code_bytes + line, 0, 3);
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

// What the totals of a block of rows are made from: a chunk of k of the rows and some tiles.
struct Chunk {
  const float *x; // [row][x_stride]
  const char *const *tiles;
  int64_t k;
  int64_t length;
};

// body.operator()<R>(row) for each R of `count` rows, R = Most or Few, up to a multiple of Few: one
// row takes as long as a few do, since each of its sums waits for the one before.
template <int Most, int Few, typename Body>
LATHE_INLINE void eachRowGroup(int64_t count, Body body) {
  static_assert(row_block % Most == 0 && Most % Few == 0);
  int64_t row = 0;
  for (; count - row > Most - Few; row += Most)
    body.template operator()<Most>(row);
  for (; row < count; row += Few)
    body.template operator()<Few>(row);
}

// body.operator()<T>(tile) for each T of `tiles`: Most at a time, then one.
template <int Most, typename Body> LATHE_INLINE void eachTileGroup(int tiles, Body body) {
  int tile = 0;
  for (; tile + Most <= tiles; tile += Most)
    body.template operator()<Most>(tile);
  for (; Most > 1 && tile < tiles; ++tile)
    body.template operator()<1>(tile);
}

// Where row r of a block stands among all. Behind its last one that one comes again.
LATHE_INLINE int64_t rowAt(const RowBlock &block, int64_t r) {
  return block.first + smaller(r, block.count - 1);
}

LATHE_INLINE void clearTotals(int64_t rows, int tiles, float *totals) {
  for (int t = 0; t < tiles; ++t)
    __builtin_memset(totals + t * row_block * 16, 0, static_cast<size_t>(rows) * 64);
}

// totals[t][r] += R rows of a block from `row` on times T tiles, `weights` [T][chunk_k][16].
template <int R, int T>
LATHE_INLINE void addRows(const RowBlock &rows, int64_t row, const Chunk &chunk,
                          const float *weights, const WeightParams &w, const XParams &xp,
                          float *totals) {
  int64_t block = sumBlock(w, xp);
  for (int64_t done = 0; done < chunk.length; done += block) {
    f32x16 sums[R][T] = {};
    registerTile<R, T>(chunk.x + row * x_stride + done, x_stride, weights + done * 16, 16,
                       chunk_k * 16, smaller(block, chunk.length - done), sums);
    for (int r = 0; r < R; ++r) {
      const float *x_scales = rowScales(rows.rows, rowAt(rows, row + r), xp);
      for (int t = 0; t < T; ++t) {
        float *total = totals + (t * row_block + row + r) * 16;
        store16(total, addBlock(load16(total), sums[r][t], decodeFactor(w.format), chunk.tiles[t],
                                x_scales, chunk.k + done, w, xp));
      }
    }
  }
}

// totals[t][row] += all rows of a block times the first T tiles of a chunk.
template <int T>
LATHE_INLINE void addTiles(const RowBlock &rows, const Chunk &chunk, const WeightParams &w,
                           const XParams &xp, float *totals) {
  alignas(64) float weights[T * chunk_k * 16];
  for (int t = 0; t < T; ++t)
    convertChunk(chunk.tiles[t], w, chunk.k, chunk.length, weights + t * chunk_k * 16);
  eachRowGroup<register_rows, few_rows>(rows.count, [&]<int R>(int64_t row) LATHE_BODY {
    addRows<R, T>(rows, row, chunk, weights, w, xp, totals);
  });
}

// totals[tile][row][16] of up to row_block rows and panel_tiles tiles. The rows are copied: where
// they lie, strides of a power of two put them into the same few lines of L1.
template <typename Lines>
LATHE_INLINE void blockProduct(const RowBlock &rows, const Panel &panel, const WeightParams &w,
                               const XParams &xp, Lines lines, float *totals) {
  alignas(64) float x[row_block * x_stride];
  int64_t block = sumBlock(w, xp), step = (block <= 128 ? 128 : chunk_k) / block * block;
  int64_t computed = roundUp(rows.count, few_rows);
  clearTotals(computed, panel.tiles, totals);
  lines.cut(ceilDiv(w.k, step) * ceilDiv(panel.tiles, register_tiles));
  for (int64_t k = 0; k < w.k; k += step) {
    int64_t length = smaller(step, w.k - k);
    for (int64_t r = 0; r < computed; ++r)
      copyRow(rowOf(rows.rows, rowAt(rows, r), xp), k, length, xp, x + r * x_stride);
    eachTileGroup<register_tiles>(panel.tiles, [&]<int T>(int t) LATHE_BODY {
      lines.askSome();
      addTiles<T>(rows, {x, panel.codes + t, k, length}, w, xp, totals + t * row_block * 16);
    });
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
      product(block, panel, ResultLines<Finish>{&finish, first, first + block.count, tile, group},
              totals);
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
      [&](const RowBlock &block, const Panel &panel, auto lines, float *totals)
          LATHE_BODY { blockProduct(block, panel, w, xp, lines, totals); },
      finish);
}

} // namespace lathe::x86
