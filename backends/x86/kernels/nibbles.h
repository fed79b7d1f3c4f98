// Codes of i4, eight k of a row in a word (weight.h).
#pragma once

#include "backends/x86/kernels/number.h"

namespace lathe::x86 {

// Nibble `index` of each word, less 8. Put into the low bits of the float 2^(23 - 4 * index), whose
// last place is a word's bit 4 * index, it is that float plus the nibble; so nothing is shifted.
LATHE_INLINE f32x16 lowNibble(u32x16 words, int index) {
  u32x16 power = u32x16{} + (static_cast<uint32_t>(127 + 23 - 4 * index) << 23);
  u32x16 bits = (words & (u32x16{} + (15u << 4 * index))) | power;
  return __builtin_bit_cast(f32x16, bits) - (__builtin_bit_cast(f32x16, power) + 8.0f);
}

// Eight k of i4. AVX-512 looks values up by the low four bits of a word, whatever is above them.
// Without it, nibbles from the sixth on move down first: they would reach into the exponent.
LATHE_INLINE void decodeNibbles(const char *codes, f32x16 (&values)[nibbles]) {
  u32x16 words = load<u32x16>(codes);
#ifdef __AVX512F__
  const f32x16 table = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};
  for (int i = 0; i < nibbles; ++i)
    values[i] = __builtin_ia32_permvarsf512(table, __builtin_bit_cast(i32x16, words >> 4 * i));
#else
  constexpr int direct = 5, shift = 3;
  u32x16 high = words >> 4 * shift;
  for (int i = 0; i < nibbles; ++i)
    values[i] = i < direct ? lowNibble(words, i) : lowNibble(high, i - shift);
#endif
}

// Input k of a tile of i4.
LATHE_INLINE f32x16 decodeNibble(const char *tile, int64_t k) {
  u32x16 words = load<u32x16>(tile + k / nibbles * 64);
  return lowNibble(words >> static_cast<uint32_t>(k % nibbles * 4), 0);
}

// `length` codes of a tile from k on, as f32 [length][16]. k is a multiple of `nibbles`. Asks for
// as many behind them.
LATHE_INLINE void convertNibbles(const char *tile, int64_t k, int64_t length, float *out) {
  for (int64_t i = 0; i < length; i += nibbles) {
    f32x16 values[nibbles];
    const char *codes = tile + (k + i) * codeRowBytes(Format::i4);
    __builtin_prefetch(codes + length * codeRowBytes(Format::i4), 0, 3);
    decodeNibbles(codes, values);
    for (int64_t j = 0; j < smaller<int64_t>(nibbles, length - i); ++j)
      store16(out + (i + j) * 16, values[j]);
  }
}

} // namespace lathe::x86
