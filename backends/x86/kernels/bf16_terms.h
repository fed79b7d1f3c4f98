// An f32 as a sum of three bf16: cut off after 8 bits, what is left after 8 more, and the rest. The
// 24 bits of an f32 are just three times 8, so the sum is exact (but for what is below 2^-126, and
// infinities), and so are the products of each term with a bf16 in f32. With this AMX multiplies
// f32 rows in three passes, at a third of a speed that is 15 times that of f32 vectors.
#pragma once

#include "backends/x86/kernels/simd.h"

namespace lathe::x86 {

typedef uint16_t u16x32 __attribute__((vector_size(64)));

// The upper halves of 32 f32: they are bf16.
LATHE_INLINE u16x32 upperHalves(f32x16 a, f32x16 b) {
  return __builtin_shufflevector(__builtin_bit_cast(u16x32, a), __builtin_bit_cast(u16x32, b), 1, 3,
                                 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37,
                                 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63);
}
// Lane i = the upper halves of low[i] and of high[i].
LATHE_INLINE u32x16 pairUpper(f32x16 low, f32x16 high) {
  return (__builtin_bit_cast(u32x16, low) >> 16) | (__builtin_bit_cast(u32x16, high) & 0xffff0000u);
}
LATHE_INLINE f32x16 belowBf16(f32x16 x) {
  return x - __builtin_bit_cast(f32x16, __builtin_bit_cast(u32x16, x) & 0xffff0000u);
}

// `terms` (1 to 3) terms of 32 values, term_bytes apart at `to`. One term is exact for values that
// are bf16 already.
LATHE_INLINE void storeTerms(f32x16 a, f32x16 b, int64_t terms, char *to, int64_t term_bytes) {
  for (int64_t term = 0; term < terms; ++term) {
    store(to + term * term_bytes, upperHalves(a, b));
    a = belowBf16(a);
    b = belowBf16(b);
  }
}

} // namespace lathe::x86
