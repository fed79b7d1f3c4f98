// Pairs of bf16 terms (bf16_terms.h) as AMX takes them, made of two vectors that are 16 values each
// of what is summed over: one shift and one select a pair of vectors and no shuffle. The order of a
// sum's terms is free as long as both operands have the same.
#pragma once

#include "backends/x86/kernels/bf16_terms.h"

namespace lathe::x86 {

constexpr int all_terms = 3; // of an f32

// out[term][row] for `all_terms` terms.
LATHE_INLINE void storePairs(f32x16 low, f32x16 high, char *out, int64_t term_bytes) {
  for (int term = 0; term < all_terms; ++term) {
    store(out + term * term_bytes, pairUpper(low, high));
    low = belowBf16(low);
    high = belowBf16(high);
  }
}

// Within each quarter of a and b: the first or the last four elements of both in turn.
LATHE_INLINE u16x32 interleaveLow(u16x32 a, u16x32 b) {
  return __builtin_shufflevector(a, b, 0, 32, 1, 33, 2, 34, 3, 35, 8, 40, 9, 41, 10, 42, 11, 43, 16,
                                 48, 17, 49, 18, 50, 19, 51, 24, 56, 25, 57, 26, 58, 27, 59);
}
LATHE_INLINE u16x32 interleaveHigh(u16x32 a, u16x32 b) {
  return __builtin_shufflevector(a, b, 4, 36, 5, 37, 6, 38, 7, 39, 12, 44, 13, 45, 14, 46, 15, 47,
                                 20, 52, 21, 53, 22, 54, 23, 55, 28, 60, 29, 61, 30, 62, 31, 63);
}

// Row i becomes column i.
LATHE_INLINE void transpose16(u32x16 (&m)[16]) {
  u32x16 t[16];
  for (int i = 0; i < 16; i += 2) { // pairs of rows
    t[i] = __builtin_shufflevector(m[i], m[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28,
                                   13, 29);
    t[i + 1] = __builtin_shufflevector(m[i], m[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27,
                                       14, 30, 15, 31);
  }
  for (int i = 0; i < 16; i += 4) // m[i + c]: column c of each quarter, of four rows
    for (int half = 0; half < 2; ++half) {
      u32x16 a = t[i + half], b = t[i + 2 + half];
      m[i + 2 * half] =
          __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
      m[i + 2 * half + 1] =
          __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
  for (int c = 0; c < 4; ++c) { // quarters
    u32x16 a = m[c], b = m[4 + c], d = m[8 + c], e = m[12 + c];
    u32x16 ab_even =
        __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    u32x16 ab_odd =
        __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    u32x16 de_even =
        __builtin_shufflevector(d, e, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    u32x16 de_odd =
        __builtin_shufflevector(d, e, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    // even: quarters 0 and 2 of both; odd: 1 and 3
    t[c] = __builtin_shufflevector(ab_even, de_even, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24,
                                   25, 26, 27);
    t[8 + c] = __builtin_shufflevector(ab_even, de_even, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                       28, 29, 30, 31);
    t[4 + c] = __builtin_shufflevector(ab_odd, de_odd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24,
                                       25, 26, 27);
    t[12 + c] = __builtin_shufflevector(ab_odd, de_odd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                        28, 29, 30, 31);
  }
  for (int i = 0; i < 16; ++i)
    m[i] = t[i];
}

} // namespace lathe::x86
