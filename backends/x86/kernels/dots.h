// Sums of products of 8-bit integers in registers. A vector has 16 rows of a weight, a word of 32
// bits each, and a word holds 2 or 4 k of a row; x is the word of one row of activations in all
// lanes. A sum over `dots_k` is exact in whichever form, and so it is in f32.
#pragma once

#include "backends/x86/kernels/number.h"

#ifndef LATHE_X86_VNNI
#ifdef __AVX512VNNI__
#define LATHE_X86_VNNI 1
#else
#define LATHE_X86_VNNI 0
#endif
#endif

namespace lathe::x86 {

typedef int8_t i8x32 __attribute__((vector_size(32)));
typedef int8_t i8x64 __attribute__((vector_size(64)));
typedef uint8_t u8x64 __attribute__((vector_size(64)));

constexpr int64_t dots_k = i8_block; // k that a sum of integers runs over

#if !LATHE_X86_VNNI
// sum + four products in each word, of a byte of x without and one of w with a sign. No code is
// made that calls this.
LATHE_INLINE i32x16 addFours(i32x16 sum, i32x16, i32x16) { return sum; }
#elif defined(LATHE_X86_VNNI_EMULATED)
#include LATHE_X86_VNNI_EMULATED
#else
LATHE_INLINE i32x16 addFours(i32x16 sum, i32x16 x, i32x16 w) {
  return __builtin_bit_cast(i32x16, __builtin_ia32_vpdpbusd512(sum, __builtin_bit_cast(u8x64, x),
                                                               __builtin_bit_cast(i8x64, w)));
}
#endif

#ifdef __AVX512BW__
LATHE_INLINE i32x16 multiplyWords(i16x32 a, i16x32 b) { return __builtin_ia32_pmaddwd512(a, b); }
LATHE_INLINE i16x32 multiplyBytes(u8x64 a, i8x64 b) {
  return __builtin_ia32_pmaddubsw512(__builtin_bit_cast(i8x64, a), b);
}
#else
// f on both halves of a and b, vectors of 64 bytes.
template <typename Half, typename V, typename W, typename F>
LATHE_INLINE V byHalves(W a, W b, F f) {
  struct Halves {
    Half low, high;
  };
  Halves x = __builtin_bit_cast(Halves, a), y = __builtin_bit_cast(Halves, b);
  struct Results {
    decltype(f(x.low, y.low)) low, high;
  };
  return __builtin_bit_cast(V, Results{f(x.low, y.low), f(x.high, y.high)});
}
LATHE_INLINE i32x16 multiplyWords(i16x32 a, i16x32 b) {
  return byHalves<i16x16, i32x16>(
      a, b, [](i16x16 x, i16x16 y) LATHE_BODY { return __builtin_ia32_pmaddwd256(x, y); });
}
LATHE_INLINE i16x32 multiplyBytes(u8x64 a, i8x64 b) {
  return byHalves<i8x32, i16x32>(__builtin_bit_cast(i8x64, a), b, [](i8x32 x, i8x32 y) LATHE_BODY {
    return __builtin_ia32_pmaddubsw256(x, y);
  });
}
#endif

LATHE_INLINE i32x16 wordInAllLanes(const char *from) { return i32x16{} + load<int32_t>(from); }

// The codes of 4 k of a tile of i8, [4][16], as words of 4 k.
LATHE_INLINE i8x64 wordsOfFours(i8x64 codes) {
  i32x16 lines = __builtin_bit_cast(i32x16, codes); // four rows a word, 4 words a line
  i8x64 groups =
      __builtin_bit_cast(i8x64, __builtin_shufflevector(lines, lines, 0, 4, 8, 12, 1, 5, 9, 13, 2,
                                                        6, 10, 14, 3, 7, 11, 15));
#define LATHE_FOURS(at)                                                                            \
  at, at + 4, at + 8, at + 12, at + 1, at + 5, at + 9, at + 13, at + 2, at + 6, at + 10, at + 14,  \
      at + 3, at + 7, at + 11, at + 15
  return __builtin_shufflevector(groups, groups, LATHE_FOURS(0), LATHE_FOURS(16), LATHE_FOURS(32),
                                 LATHE_FOURS(48));
#undef LATHE_FOURS
}

// 8 k of a tile of i4 as two vectors of words of 4 k: the even k, then the odd ones.
LATHE_INLINE void wordsOfNibbles(const char *codes, char *to) {
  u32x16 words = load<u32x16>(codes), mask = u32x16{} + 0x0f0f0f0fu;
  store(to, __builtin_bit_cast(i8x64, words & mask) - 8);
  store(to + 64, __builtin_bit_cast(i8x64, (words >> 4) & mask) - 8);
}

// The even k of each 8, then the odd ones.
LATHE_INLINE i8x32 asNibblesLie(i8x32 codes) {
#define LATHE_EIGHT(at) at, at + 2, at + 4, at + 6, at + 1, at + 3, at + 5, at + 7
  return __builtin_shufflevector(codes, codes, LATHE_EIGHT(0), LATHE_EIGHT(8), LATHE_EIGHT(16),
                                 LATHE_EIGHT(24));
#undef LATHE_EIGHT
}

// Words of 4 k. Bytes of x have no sign: 128 is added, and a `correction` takes 128 times the sum
// of the weight's codes off.
struct WordsOfFour {
  static constexpr int64_t word_k = 4;
  static constexpr int64_t row_bytes = dots_k;         // of dots_k codes of a row
  static constexpr int64_t weight_bytes = 16 * dots_k; // of those of a tile

  static LATHE_INLINE void takeRow(i8x32 codes, bool nibbles, char *to) {
    store(to, (nibbles ? asNibblesLie(codes) : codes) ^ static_cast<int8_t>(-128));
  }
  static LATHE_INLINE void takeWeights(const char *codes, bool nibbles, char *to) {
    for (int64_t i = 0; nibbles && i < dots_k / 8; ++i)
      wordsOfNibbles(codes + i * 64, to + i * 128);
    for (int64_t i = 0; !nibbles && i < dots_k / 4; ++i)
      store(to + i * 64, wordsOfFours(load<i8x64>(codes + i * 64)));
  }
};

// AVX-512 VNNI.
struct FourDots : WordsOfFour {
  static LATHE_INLINE i32x16 begin(i32x16 correction) { return correction; }
  static LATHE_INLINE i32x16 add(i32x16 sum, i32x16 x, i32x16 w) { return addFours(sum, x, w); }
  static LATHE_INLINE i32x16 end(i32x16 sum, i32x16) { return sum; }
};

// Without VNNI, weights of 4 bits: products of bytes are added up in 16 bits, whose largest sum is
// 8 * 2 * 255 * 8 = 32640.
struct NibbleDots : WordsOfFour {
  static LATHE_INLINE i32x16 begin(i32x16) { return {}; }
  static LATHE_INLINE i32x16 add(i32x16 sum, i32x16 x, i32x16 w) {
    i16x32 products = multiplyBytes(__builtin_bit_cast(u8x64, x), __builtin_bit_cast(i8x64, w));
    return __builtin_bit_cast(i32x16, __builtin_bit_cast(i16x32, sum) + products);
  }
  static LATHE_INLINE i32x16 end(i32x16 sum, i32x16 correction) {
    return multiplyWords(__builtin_bit_cast(i16x32, sum), i16x32{} + 1) + correction;
  }
};

// Without VNNI, weights of 8 bits: products of bytes would not fit into 16 bits, so words are 2 k
// of 16 bits. An addition goes to a port that has no multiplier.
struct PairDots {
  static constexpr int64_t word_k = 2;
  static constexpr int64_t row_bytes = 2 * dots_k;
  static constexpr int64_t weight_bytes = 32 * dots_k;

  static LATHE_INLINE void takeRow(i8x32 codes, bool, char *to) {
    store(to, __builtin_convertvector(codes, i16x32));
  }
  static LATHE_INLINE void takeWeights(const char *codes, bool, char *to) {
    for (int64_t i = 0; i < dots_k / 2; ++i) {
      i8x32 lines = load<i8x32>(codes + i * 32);
      i8x32 pairs =
          __builtin_shufflevector(lines, lines, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7,
                                  23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      store(to + i * 64, __builtin_convertvector(pairs, i16x32));
    }
  }
  static LATHE_INLINE i32x16 begin(i32x16) { return {}; }
  static LATHE_INLINE i32x16 add(i32x16 sum, i32x16 x, i32x16 w) {
    return sum + multiplyWords(__builtin_bit_cast(i16x32, x), __builtin_bit_cast(i16x32, w));
  }
  static LATHE_INLINE i32x16 end(i32x16 sum, i32x16) { return sum; }
};

} // namespace lathe::x86
