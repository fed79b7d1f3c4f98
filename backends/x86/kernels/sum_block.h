// What all products share: which rows of x, how far ahead codes are asked for, how sums are cut
// into blocks, and how scales enter.
#pragma once

#include "backends/x86/kernels/linear.h"
#include "backends/x86/kernels/number.h"

namespace lathe::x86 {

// The rows of x: row i is the one at place order ? order[i] / divisor : i. Steps have no order: a
// tile of them is a run of rows as it lies.
struct XRows {
  const void *x;
  const float *scales;
  const int32_t *order;
  int64_t divisor;
};

LATHE_INLINE int64_t sourceRow(const XRows &rows, int64_t i) {
  return rows.order ? rows.order[i] / rows.divisor : i;
}

LATHE_INLINE const char *rowOf(const XRows &rows, int64_t i, const XParams &xp) {
  return static_cast<const char *>(rows.x) + sourceRow(rows, i) * rowBytes(xp);
}

// Of row i, one a block of k; nullptr where rows have none.
LATHE_INLINE const float *rowScales(const XRows &rows, int64_t i, const XParams &xp) {
  return xp.block ? rows.scales + sourceRow(rows, i) * xp.scale_stride : nullptr;
}

// body(from, to, count) for each run of a row's columns [k, k + count) that is one piece of memory;
// `to` counts from k on.
template <typename Body>
LATHE_INLINE void eachRun(const char *row, int64_t k, int64_t count, const XParams &xp, Body body) {
  if (xp.rows_in != RowsIn::bf16_steps)
    return body(row + columnBytes(xp.rows_in, xp.stride, k), int64_t{0}, count);
  for (int64_t i = 0; i < count;) {
    int64_t here = smaller(count - i, step_columns - (k + i) % step_columns);
    body(row + columnBytes(xp.rows_in, xp.stride, k + i), i, here);
    i += here;
  }
}

LATHE_INLINE void copyIntegers(const char *from, int64_t count, float *to) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16)
    store16(to + i, decodeI8(from + i));
  for (; i < count; ++i)
    to[i] = static_cast<float>(load<int8_t>(from + i));
}

// to[0, count) = the columns of a row from k on.
LATHE_INLINE void copyRow(const char *row, int64_t k, int64_t count, const XParams &xp, float *to) {
  eachRun(row, k, count, xp, [&](const char *from, int64_t first, int64_t here) LATHE_BODY {
    int64_t i = 0;
    if (xp.rows_in == RowsIn::f32)
      return static_cast<void>(__builtin_memcpy(to + first, from, static_cast<size_t>(here) * 4));
    if (xp.rows_in == RowsIn::i8)
      return copyIntegers(from, here, to + first);
    for (; i + 16 <= here; i += 16)
      store16(to + first + i, widenBf16(load<u16x16>(from + 2 * i)));
    for (; i < here; ++i)
      to[first + i] = __builtin_bit_cast(float, uint32_t{load<uint16_t>(from + 2 * i)} << 16);
  });
}

// to[0, k) = a whole row, with zeros up to a multiple of 16.
LATHE_INLINE void copyPaddedRow(const char *row, int64_t k, const XParams &xp, float *to) {
  store16(to + roundUp(k, 16) - 16, f32x16{});
  copyRow(row, 0, k, xp, to);
}

constexpr int64_t prefetch_bytes = 2048; // the best of 0.5 to 8 KiB on Zen 3 and Sapphire Rapids

// How far ahead of the codes from k on to ask for lines: at the end of a tile for those of the tile
// that is read after it, `next` bytes further on.
LATHE_INLINE int64_t prefetchDistance(int64_t k, int64_t next, const WeightParams &w) {
  bool inside = k * codeRowBytes(w.format) + prefetch_bytes < codeBytes(w.k, w.format);
  return prefetch_bytes + (inside ? 0 : next - w.tile_bytes);
}

// Tiles one after the other: their loads mixed would need more registers than AVX2 has.
LATHE_INLINE void keepOrder() {
  if (!LATHE_X86_WIDE)
    asm volatile("" ::: "memory");
}

// codes[t] = tiles[t] + offset. A copy of its own, which the compiler need not read again behind
// each keepOrder, as it would what `tiles` points to.
template <int T>
LATHE_INLINE void codesFrom(const char *const *tiles, int64_t offset, const char **codes) {
  for (int t = 0; t < T; ++t)
    codes[t] = tiles[t] + offset;
}

// Asks for scales of lanes, a line for two blocks, as far ahead as codes of one byte are.
template <int T>
LATHE_INLINE void prefetchScales(const char *const *tiles, int64_t k, int64_t next,
                                 const WeightParams &w) {
  constexpr int64_t ahead_k = prefetch_bytes / tile_rows;
  if (w.scale_mode != ScaleMode::lane_f16 || k / w.scale_block_k % 2 != 0)
    return;
  int64_t ahead = k + ahead_k, behind = ahead - roundUp(w.k, 2 * w.scale_block_k);
  for (int t = 0; t < T; ++t)
    __builtin_prefetch(
        behind < 0 ? scalesOf(tiles[t], w, ahead) : scalesOf(tiles[t] + next, w, behind), 0, 3);
}

// factor * the scales of the block of a tile that begins at k.
LATHE_INLINE f32x16 blockScale(float factor, const char *tile, int64_t k, const WeightParams &w) {
  f32x16 scale = splat(factor);
  return w.scale_mode == ScaleMode::none ? scale : scale * laneScales(tile, w, k);
}

// total + factor * sum, with the scales of the block that begins at k. x_scales: of the row.
LATHE_INLINE f32x16 addBlock(f32x16 total, f32x16 sum, float factor, const char *tile,
                             const float *x_scales, int64_t k, const WeightParams &w,
                             const XParams &x) {
  if (w.scale_mode == ScaleMode::none && factor == 1.0f && !x.block)
    return total + sum;
  f32x16 scale = blockScale(factor, tile, k, w);
  if (x.block)
    scale = scale * x_scales[k / x.block];
  return fma(sum, scale, total);
}

} // namespace lathe::x86
