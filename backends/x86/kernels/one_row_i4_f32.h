// One row of f32 times packed tiles of i4 on 256-bit registers. A nibble that is masked where it
// lies in its word, and converted, is the code plus 8, times a power of two; so the row is divided
// by these powers when it is taken, and 8 times the sum of a block of it is taken off, which is
// the same for all tiles.
//
// Bound: a line of 64 bytes, 8 k of a tile, takes 50 operations, 32 of them on two ports, 16.7
// cycles; with each code's 8 taken off 66, and 22 cycles.
#pragma once

#include "backends/x86/kernels/one_row_i4.h"

namespace lathe::x86 {

// Blocks have to begin at whole words. Those of a matrix that is read along its rows, as latent
// attention reads kv_b to absorb it, are one k each.
constexpr bool takesScaledNibbles(const WeightParams &w, const XParams &x) {
  return !LATHE_X86_WIDE && w.format == Format::i4 && !takesNibbles(w, x) &&
         (sumBlock(w, x) % nibbles == 0 || sumBlock(w, x) >= w.k);
}

// A row: k divided by the powers of their nibbles, zeros up to a multiple of 16, and what is to be
// added to the sums of each block.
constexpr int64_t scaledNibbleRowFloats(const WeightParams &w, const XParams &xp) {
  return roundUp(w.k, 16) + ceilDiv(w.k, sumBlock(w, xp));
}

LATHE_INLINE void takeScaledNibbleRow(const char *row, const WeightParams &w, const XParams &xp,
                                      float *to) {
  constexpr f32x16 powers = {0x1p0f,   0x1p-4f,  0x1p-8f,  0x1p-12f, 0x1p-16f, 0x1p-20f,
                             0x1p-24f, 0x1p0f,   0x1p0f,   0x1p-4f,  0x1p-8f,  0x1p-12f,
                             0x1p-16f, 0x1p-20f, 0x1p-24f, 0x1p0f};
  int64_t end = roundUp(w.k, 16), block = sumBlock(w, xp);
  copyPaddedRow(row, w.k, xp, to);
  for (int64_t k = 0; k < w.k; k += block) {
    f32x16 sum = {};
    for (int64_t i = k; i < smaller(k + block, w.k); i += 16)
      sum += loadSome(to + i, smaller(k + block, w.k) - i);
    to[end + k / block] = -8.0f * sumLanes(sum);
  }
  for (int64_t k = 0; k < w.k; k += 16)
    store16(to + k, load16(to + k) * powers);
}

// The last nibble would be a sign: it moves down instead.
LATHE_INLINE f32x16 nibblesWhereTheyLie(u32x16 words, int i) {
  u32x16 bits = i == nibbles - 1 ? words >> 28 : words & (u32x16{} + (15u << 4 * i));
  return __builtin_convertvector(__builtin_bit_cast(i32x16, bits), f32x16);
}

// sums[t] += the products of T tiles over [k, end), from a whole word on. Two tiles share what is
// loaded of x.
template <int T>
LATHE_INLINE void addScaledNibbles(const float *x, const char *const *tiles, int64_t k, int64_t end,
                                   int64_t ahead, f32x16 (&sums)[T]) {
  const char *codes[T];
  codesFrom<T>(tiles, k * codeRowBytes(Format::i4), codes);
  for (; k < end; k += nibbles) {
    u32x16 words[T];
    for (int t = 0; t < T; ++t) {
      __builtin_prefetch(codes[t] + ahead, 0, 3);
      words[t] = load<u32x16>(codes[t]);
      codes[t] += nibbles * codeRowBytes(Format::i4);
    }
    for (int i = 0; i < nibbles; ++i) {
      keepOrder();
      for (int t = 0; t < T; ++t)
        sums[t] = fma(splat(x[k + i]), nibblesWhereTheyLie(words[t], i), sums[t]);
    }
  }
}

// As rowProduct.
template <int T>
LATHE_INLINE void scaledNibbleProduct(const float *x, const float *x_scales,
                                      const char *const *tiles, int64_t next, const WeightParams &w,
                                      const XParams &xp, f32x16 *totals) {
  constexpr int pair = smaller(T, 2);
  const float *corrections = x + roundUp(w.k, 16);
  int64_t block = sumBlock(w, xp);
  for (int64_t k = 0; k < w.k; k += block) {
    prefetchScales<T>(tiles, k, next, w);
    for (int t = 0; t < T; t += pair) {
      f32x16 sums[pair];
      for (int i = 0; i < pair; ++i)
        sums[i] = splat(corrections[k / block]);
      addScaledNibbles<pair>(x, tiles + t, k, smaller(k + block, w.k), prefetchDistance(k, next, w),
                             sums);
      for (int i = 0; i < pair; ++i)
        totals[t + i] = addBlock(totals[t + i], sums[i], 1.0f, tiles[t + i], x_scales, k, w, xp);
    }
  }
}

} // namespace lathe::x86
