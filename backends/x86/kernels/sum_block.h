// What all products share: which rows of x, how far ahead codes are asked for, how sums are cut
// into blocks, and how scales enter.
#pragma once

#include "backends/x86/kernels/linear.h"
#include "backends/x86/kernels/number.h"

namespace lathe::x86 {

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
