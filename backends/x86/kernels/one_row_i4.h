// One row of i8 times packed tiles of i4, in integers. Nibbles have no sign as they lie: they are
// multiplied as they are, and 8 times the sum of a block of the row is taken off, which is the same
// for all tiles. Sums over 32 k are exact, so the bits are those of the same codes in f32.
//
// Bound: a line of 64 bytes, 8 k of a tile, is 5 instructions with VNNI and 7 without, twice as
// many on AVX2; in f32 it is 23, and 40 on AVX2.
#pragma once

#include "backends/x86/kernels/dots.h"
#include "backends/x86/kernels/sum_block.h"

namespace lathe::x86 {

// 32 k of a row.
struct NibbleRowBlock {
  i8x32 codes; // in the order of a tile's nibbles, 0 behind the last k
  int32_t correction;
};

constexpr bool takesNibbles(const WeightParams &w, const XParams &x) {
  return w.format == Format::i4 && takesIntegers(w, x);
}

LATHE_INLINE NibbleRowBlock nibbleRowBlock(i8x32 codes) {
  return {asNibblesLie(codes), -8 * __builtin_reduce_add(__builtin_convertvector(codes, i16x32))};
}

LATHE_INLINE void takeNibbleRow(const char *codes, int64_t k, NibbleRowBlock *to) {
  for (; k >= dots_k; k -= dots_k, codes += dots_k)
    *to++ = nibbleRowBlock(load<i8x32>(codes));
  if (k == 0)
    return;
  i8x32 last = {};
  __builtin_memcpy(&last, codes, static_cast<size_t>(k));
  *to = nibbleRowBlock(last);
}

// sum + a line's products, with the even and the odd k of the row in all lanes. Without VNNI a sum
// is two of 16 bits, in a block of four lines at most 4 * 4 * 15 * 128 = 30720.
LATHE_INLINE i32x16 addNibbleLine(i32x16 sum, const char *line, i32x16 even, i32x16 odd) {
  u32x16 words = load<u32x16>(line), mask = u32x16{} + 0x0f0f0f0fu;
  u32x16 low = words & mask, high = (words >> 4) & mask;
#if LATHE_X86_VNNI
  return addFours(addFours(sum, __builtin_bit_cast(i32x16, low), even),
                  __builtin_bit_cast(i32x16, high), odd);
#else
  i16x32 products = multiplyBytes(__builtin_bit_cast(u8x64, low), __builtin_bit_cast(i8x64, even)) +
                    multiplyBytes(__builtin_bit_cast(u8x64, high), __builtin_bit_cast(i8x64, odd));
  return __builtin_bit_cast(i32x16, __builtin_bit_cast(i16x32, sum) + products);
#endif
}

LATHE_INLINE f32x16 sumOfNibbles(i32x16 sum, int32_t correction) {
  i32x16 whole =
      LATHE_X86_VNNI ? sum : multiplyWords(__builtin_bit_cast(i16x32, sum), i16x32{} + 1);
  return __builtin_convertvector(whole + correction, f32x16);
}

// As rowProduct.
template <int T>
LATHE_INLINE void nibbleProduct(const NibbleRowBlock *row, const float *x_scales,
                                const char *const *tiles, int64_t next, const WeightParams &w,
                                const XParams &xp, f32x16 *totals) {
  for (int64_t k0 = 0; k0 < w.k; k0 += dots_k, ++row) {
    i32x16 sums[T] = {};
    prefetchScales<T>(tiles, k0, next, w);
    int64_t end = smaller(k0 + dots_k, w.k);
    const char *words = reinterpret_cast<const char *>(&row->codes), *lines[T];
    codesFrom<T>(tiles, k0 * codeRowBytes(Format::i4), lines);
    for (int64_t k = k0; k < end; k += nibbles, words += nibbles) {
      i32x16 even = wordInAllLanes(words), odd = wordInAllLanes(words + 4);
      int64_t ahead = prefetchDistance(k, next, w);
      for (int t = 0; t < T; ++t) {
        keepOrder();
        __builtin_prefetch(lines[t] + ahead, 0, 3);
        sums[t] = addNibbleLine(sums[t], lines[t], even, odd);
        lines[t] += nibbles * codeRowBytes(Format::i4);
      }
    }
    for (int t = 0; t < T; ++t)
      totals[t] = addBlock(totals[t], sumOfNibbles(sums[t], row->correction), 1.0f, tiles[t],
                           x_scales, k0, w, xp);
  }
}

} // namespace lathe::x86
