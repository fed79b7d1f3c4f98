// What all products share: which rows of x, how far ahead codes are asked for, how sums are cut
// into blocks, and how scales enter.
#pragma once

#include "backends/x86/kernels/linear.h"
#include "backends/x86/kernels/number.h"

namespace lathe::x86 {

// The rows of x: row i is the one at place order ? order[i] / divisor : i.
struct XRows {
  const void *x; // f32 or, with Activations::bf16_rows, bf16
  const float *scales;
  const int32_t *order;
  int64_t divisor;
};

LATHE_INLINE int64_t sourceRow(const XRows &rows, int64_t i) {
  return rows.order ? rows.order[i] / rows.divisor : i;
}

LATHE_INLINE const char *rowOf(const XRows &rows, int64_t i, const XParams &xp) {
  return static_cast<const char *>(rows.x) + sourceRow(rows, i) * xp.stride * xBytes(xp);
}

// to[0, count) = the values of a row from `from` on.
LATHE_INLINE void copyRow(const char *from, int64_t count, const XParams &xp, float *to) {
  if (xp.activations != Activations::bf16_rows) {
    __builtin_memcpy(to, from, static_cast<size_t>(count) * 4);
    return;
  }
  int64_t i = 0;
  for (; i + 16 <= count; i += 16)
    store16(to + i, widenBf16(load<u16x16>(from + 2 * i)));
  for (; i < count; ++i)
    to[i] = __builtin_bit_cast(float, uint32_t{load<uint16_t>(from + 2 * i)} << 16);
}

constexpr int64_t prefetch_bytes = 2048; // the best of 0.5 to 8 KiB on Zen 3 and Sapphire Rapids

// How far ahead of the codes from k on to ask for lines: at the end of a tile for those of the tile
// that is read after it, `next` bytes further on.
LATHE_INLINE int64_t prefetchDistance(int64_t k, int64_t next, const WeightParams &w) {
  bool inside = k * codeRowBytes(w.format) + prefetch_bytes < codeBytes(w.k, w.format);
  return prefetch_bytes + (inside ? 0 : next - w.tile_bytes);
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
