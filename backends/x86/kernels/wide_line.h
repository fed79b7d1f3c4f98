// 64 bytes of a packed tile at a time, for 512-bit registers. Even and odd
// elements of a line are the lanes 0-7 and 8-15 of some k (weight.h), so that
// without a single shuffle a vector holds [k | k + 1] of 8 lanes. Multiplied
// with [x[k] x 8 | x[k + 1] x 8], which all tiles share, two chains per tile
// sum even and odd k in the two halves of a vector; the halves meet at the end.
//
// Bound: 64 codes of 8 bits take about 19 operations on two ports, 2.4 times
// what an L2 gives; from memory a core gets a line in the time of 10 to 15
// cycles.
#pragma once

#include "backends/x86/kernels/number.h"

namespace lathe::x86 {

typedef f32x16 Pair; // [k | k + 1] of 8 lanes

constexpr int64_t lineK(int64_t format) { return 64 / codeRowBytes(format); }

LATHE_INLINE Pair pairOf(float first, float second) {
  f32x16 a = splat(first), b = splat(second);
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31);
}

LATHE_INLINE u16x16 lowWords(i16x32 w) {
  return __builtin_bit_cast(
      u16x16, __builtin_shufflevector(w, w, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}
LATHE_INLINE u16x16 highWords(i16x32 w) {
  return __builtin_bit_cast(u16x16, __builtin_shufflevector(w, w, 16, 17, 18, 19, 20, 21, 22, 23,
                                                            24, 25, 26, 27, 28, 29, 30, 31));
}

// low += the line's products for lanes 0-7, high for 8-15. x: the pairs of its
// k.
LATHE_INLINE void addLine(const char *codes, int64_t format, const Pair *x, Pair &low, Pair &high) {
  if (format == Format::bf16) {
    u32x16 words = load<u32x16>(codes);
    low = fma(x[0], __builtin_bit_cast(f32x16, lowBf16(words)), low);
    high = fma(x[0], __builtin_bit_cast(f32x16, highBf16(words)), high);
    return;
  }
  i16x32 words = load<i16x32>(codes);
  i16x32 even = halfBits(static_cast<i16x32>(words << 8), format), odd = halfBits(words, format);
  low = fma(x[0], widenHalf(lowWords(even)), low);
  high = fma(x[0], widenHalf(lowWords(odd)), high);
  low = fma(x[1], widenHalf(highWords(even)), low);
  high = fma(x[1], widenHalf(highWords(odd)), high);
}

// The 16 lanes' sums.
LATHE_INLINE f32x16 joinPairs(Pair low, Pair high) {
  f32x16 first =
      __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
  f32x16 second = __builtin_shufflevector(low, high, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27,
                                          28, 29, 30, 31);
  return first + second;
}

} // namespace lathe::x86
