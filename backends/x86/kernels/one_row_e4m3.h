// One row times packed tiles of e4m3 on 256-bit registers, by words of four codes. A code's bits
// within a word, moved to where an f32 has its sign, the low bits of its exponent and the high ones
// of its mantissa, are an f32 that is the number times 2^-120: no shuffle, and no conversion of two
// operations for 8 codes. Byte c of word i of some k is row 2 i + c / 2 + 8 (c % 2) (weight.h).
//
// A subnormal code becomes a subnormal f32, exact, too, but a product with one takes some 150
// cycles. So only tiles that have few of them go this way, as packing counted them
// (`few_subnormals`).
//
// Bound: 32 codes take 15 operations, 14 of them on three ports, 4.5 cycles; from f16 22, and 7.2
// cycles.
#pragma once

#include "backends/x86/kernels/sum_block.h"

namespace lathe::x86 {

typedef f32x8 WordSums[4]; // by the byte of a word: [words of k | words of k + 1]

constexpr bool takesWords(const WeightParams &w) {
  return !LATHE_X86_WIDE && w.format == Format::e4m3;
}

// Rows are taken times this: sums of words below 2^-70 would be subnormals, and numbers of a row
// from 2^64 on overflow.
constexpr float word_row_factor = 0x1p64f;
// From the sums of words to those of f16 bits.
constexpr float word_sum_factor = 0x1p112f;

// The row as addWords takes it, with zeros up to a multiple of 16.
LATHE_INLINE void takeWordRow(const char *row, const WeightParams &w, const XParams &xp,
                              float *to) {
  copyPaddedRow(row, w.k, xp, to);
  for (int64_t k = 0; k < w.k; k += 16)
    store16(to + k, load16(to + k) * word_row_factor);
}

// Of four values of a row the first two, or the last two, four times each.
LATHE_INLINE f32x8 firstPair(f32x4 x) {
  return __builtin_shufflevector(x, x, 0, 0, 0, 0, 1, 1, 1, 1);
}
LATHE_INLINE f32x8 lastPair(f32x4 x) {
  return __builtin_shufflevector(x, x, 2, 2, 2, 2, 3, 3, 3, 3);
}

// sums += the products of two k. x: its values, four times each.
LATHE_INLINE void addWords(const char *codes, f32x8 x, WordSums &sums) {
  constexpr int16_t sign_exponent_mantissa = static_cast<int16_t>(0x87f0);
  i16x16 words = load<i16x16>(codes);
  u32x8 odd = __builtin_bit_cast(u32x8, (words >> 4) & sign_exponent_mantissa);
  u32x8 even = __builtin_bit_cast(u32x8, ((words << 8) >> 4) & sign_exponent_mantissa);
  sums[0] = __builtin_elementwise_fma(x, __builtin_bit_cast(f32x8, lowBf16(even)), sums[0]);
  sums[1] = __builtin_elementwise_fma(x, __builtin_bit_cast(f32x8, lowBf16(odd)), sums[1]);
  sums[2] = __builtin_elementwise_fma(x, __builtin_bit_cast(f32x8, highBf16(even)), sums[2]);
  sums[3] = __builtin_elementwise_fma(x, __builtin_bit_cast(f32x8, highBf16(odd)), sums[3]);
}

LATHE_INLINE f32x16 joinWords(const WordSums &sums) {
  f32x4 k[4];
  for (int c = 0; c < 4; ++c)
    k[c] = __builtin_shufflevector(sums[c], sums[c], 0, 1, 2, 3) +
           __builtin_shufflevector(sums[c], sums[c], 4, 5, 6, 7);
  f32x8 low = __builtin_shufflevector(k[0], k[2], 0, 4, 1, 5, 2, 6, 3, 7);
  f32x8 high = __builtin_shufflevector(k[1], k[3], 0, 4, 1, 5, 2, 6, 3, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) *
         word_sum_factor;
}

// sums[t] = the products of T tiles over whole fours of [k, end), even and odd k apart. Two tiles
// fill the registers.
template <int T>
LATHE_INLINE void sumWords(const float *x, const char *const *tiles, int64_t k, int64_t end,
                           int64_t ahead, f32x16 *sums) {
  WordSums words[T] = {};
  const char *codes[T];
  codesFrom<T>(tiles, k * tile_rows, codes);
  for (; k + 4 <= end; k += 4) {
    f32x4 four = load<f32x4>(x + k);
    f32x8 first = firstPair(four), last = lastPair(four);
    for (int t = 0; t < T; ++t) {
      keepOrder();
      __builtin_prefetch(codes[t] + ahead, 0, 3);
      addWords(codes[t], first, words[t]);
      addWords(codes[t] + 2 * tile_rows, last, words[t]);
      codes[t] += 4 * tile_rows;
    }
  }
  for (int t = 0; t < T; ++t)
    sums[t] = joinWords(words[t]);
}

// The same bits, by f16.
LATHE_INLINE f32x16 sumHalves(const float *x, const char *tile, int64_t k, int64_t end,
                              int64_t ahead) {
  f32x16 even = {}, odd = {};
  for (; k + 4 <= end; k += 4) {
    const char *codes = tile + k * tile_rows;
    __builtin_prefetch(codes + ahead, 0, 3);
    for (int64_t i = 0; i < 4; i += 2) {
      f32x16 first, second;
      decodePair(codes + i * tile_rows, Format::e4m3, first, second);
      even = fma(splat(x[k + i]), first, even);
      odd = fma(splat(x[k + i + 1]), second, odd);
    }
  }
  return even + odd;
}

// Which way a tile goes is its own matter, so that its bits do not depend on those beside it.
template <int T>
LATHE_INLINE void sumTiles(const float *x, const char *const *tiles, const bool *by_words,
                           int64_t k, int64_t end, int64_t ahead, f32x16 *sums) {
  if (T == 2 && by_words[0] && by_words[1])
    sumWords<T>(x, tiles, k, end, ahead, sums);
  else
    for (int t = 0; t < T; ++t)
      if (by_words[t])
        sumWords<1>(x, tiles + t, k, end, ahead, sums + t);
      else
        sums[t] = sumHalves(x, tiles[t], k, end, ahead);
  for (int64_t i = end - (end - k) % 4; i < end; ++i)
    for (int t = 0; t < T; ++t)
      sums[t] = fma(splat(x[i]), decode(tiles[t] + i * tile_rows, Format::e4m3), sums[t]);
}

// As rowProduct.
template <int T>
LATHE_INLINE void e4m3Product(const float *x, const float *x_scales, const char *const *tiles,
                              int64_t next, const WeightParams &w, const XParams &xp,
                              f32x16 *totals) {
  // Not with the scales, which may be small enough to become 0 by it.
  constexpr float factor = decodeFactor(Format::e4m3) / word_row_factor;
  constexpr int pair = smaller(T, 2);
  bool by_words[T];
  for (int t = 0; t < T; ++t) {
    by_words[t] = load<uint32_t>(fewSubnormals(tiles[t], w));
    __builtin_prefetch(fewSubnormals(tiles[t], w) + next, 0, 3);
  }
  int64_t block = sumBlock(w, xp);
  for (int64_t k = 0; k < w.k; k += block)
    for (int t = 0; t < T; t += pair) {
      f32x16 sums[pair];
      sumTiles<pair>(x, tiles + t, by_words + t, k, smaller(k + block, w.k),
                     prefetchDistance(k, next, w), sums);
      for (int i = 0; i < pair; ++i)
        totals[t + i] =
            addBlock(totals[t + i], sums[i] * factor, 1.0f, tiles[t + i], x_scales, k, w, xp);
    }
}

} // namespace lathe::x86
