// R rows times T vectors of weights with all sums in registers: the inner loop of products and of
// attention on vectors.
#pragma once

#include "backends/x86/kernels/simd.h"

namespace lathe::x86 {

// sums[r][t] += x[r][k] * weights[t][k] over `length` k. Rows are x_stride floats apart, tiles
// tile_stride floats, the 16 of consecutive k w_stride floats.
template <int R, int T>
LATHE_INLINE void registerTile(const float *x, int64_t x_stride, const float *weights,
                               int64_t w_stride, int64_t tile_stride, int64_t length,
                               f32x16 (&sums)[R][T]) {
#pragma clang loop unroll_count(2)
  for (int64_t k = 0; k < length; ++k) {
    f32x16 w[T];
    for (int t = 0; t < T; ++t)
      w[t] = load16(weights + t * tile_stride + k * w_stride);
    for (int r = 0; r < R; ++r)
      for (int t = 0; t < T; ++t)
        sums[r][t] = fma(splat(x[r * x_stride + k]), w[t], sums[r][t]);
  }
}

} // namespace lathe::x86
