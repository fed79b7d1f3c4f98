// Codes of a packed tile as pairs of bf16, the form in which AMX takes weights: a row of 64 bytes
// holds [lane][k, k + 1] for the 16 lanes, in their true order. Every format here is exact in bf16.
// Pairs times pairFactor() are the values of the codes.
#pragma once

#include "backends/x86/kernels/bf16_terms.h"
#include "backends/x86/kernels/nibbles.h"
#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

typedef uint8_t u8x64 __attribute__((vector_size(64)));
typedef char c8x64 __attribute__((vector_size(64)));

// out[i] = the byte index[i] % 128 of low and high, one after the other.
LATHE_INLINE u8x64 bytesAt(u8x64 index, u8x64 low, u8x64 high) {
#ifdef __AVX512VBMI__
  return __builtin_bit_cast(u8x64, __builtin_ia32_vpermi2varqi512(__builtin_bit_cast(c8x64, low),
                                                                  __builtin_bit_cast(c8x64, index),
                                                                  __builtin_bit_cast(c8x64, high)));
#else
  u8x64 out;
  for (int i = 0; i < 64; ++i)
    out[i] = (index[i] & 64) ? high[index[i] & 63] : low[index[i] & 63];
  return out;
#endif
}

// A bf16 of e4m3 with the exponent field 112 + e in place of 120 + e: bits that never carry.
constexpr float pairFactor(int64_t format) { return format == Format::e4m3 ? 256.0f : 1.0f; }

// The bf16 of the 128 codes without a sign, byte by byte. Codes that are no number give 0: packing
// refuses them, and only what lies behind a tile's codes can look like one.
struct alignas(64) Bf16Table {
  uint8_t low[128];
  uint8_t high[128];
};

constexpr float magnitude(int64_t format, int code) {
  int mantissa_bits = format == Format::e4m3 ? 3 : 2, bias = format == Format::e4m3 ? 7 : 15;
  int exponent = code >> mantissa_bits, mantissa = code & ((1 << mantissa_bits) - 1);
  bool finite = format == Format::e4m3 ? code != 127 : exponent != 31;
  float value = exponent ? (1 << mantissa_bits) + mantissa : mantissa;
  for (int e = (exponent ? exponent : 1) - bias - mantissa_bits; e != 0; e += e < 0 ? 1 : -1)
    value = e < 0 ? value / 2 : value * 2;
  return finite ? value : 0;
}
constexpr Bf16Table bf16Table(int64_t format) {
  Bf16Table table = {};
  for (int code = 0; code < 128; ++code) {
    uint32_t bits = __builtin_bit_cast(uint32_t, magnitude(format, code) / pairFactor(format));
    table.low[code] = static_cast<uint8_t>(bits >> 16);
    table.high[code] = static_cast<uint8_t>(bits >> 24);
  }
  return table;
}

// Where the bytes of a row of pairs stand among 64 low and 64 high ones of 4 k.
struct alignas(64) PairPlaces {
  uint8_t place[64];
};
constexpr PairPlaces pairPlaces(int k) {
  PairPlaces places = {};
  for (int lane = 0; lane < 16; ++lane)
    for (int i = 0; i < 2; ++i) {
      auto code = static_cast<uint8_t>((k + i) * 16 + lanePlace(Format::e4m3, lane));
      places.place[lane * 4 + i * 2] = code;
      places.place[lane * 4 + i * 2 + 1] = static_cast<uint8_t>(64 + code);
    }
  return places;
}

// 64 8-bit codes: 4 k of 16 lanes, two rows of pairs.
LATHE_INLINE void pairsOfBytes(u8x64 codes, const Bf16Table &table, char *out) {
  static constexpr PairPlaces first = pairPlaces(0), second = pairPlaces(2);
  u8x64 low = bytesAt(codes, load<u8x64>(table.low), load<u8x64>(table.low + 64));
  u8x64 high = bytesAt(codes, load<u8x64>(table.high), load<u8x64>(table.high + 64));
  high |= codes & 0x80;
  store(out, bytesAt(load<u8x64>(first.place), low, high));
  store(out + 64, bytesAt(load<u8x64>(second.place), low, high));
}

// As a call, or what is rare would be most of the code.
__attribute__((noinline)) static void pairsByTable(const char *codes, char *out) {
  static constexpr Bf16Table table = bf16Table(Format::e4m3);
  pairsOfBytes(load<u8x64>(codes), table, out);
  pairsOfBytes(load<u8x64>(codes + 64), table, out + 128);
}

// Where the codes stand that unpacking a vector's quarters brings to where pairs have them.
constexpr PairPlaces unpackPlaces() {
  PairPlaces places = {};
  for (int lane = 0; lane < 16; ++lane)
    for (int k = 0; k < 4; ++k)
      places.place[lane / 4 * 16 + k / 2 * 8 + lane % 4 * 2 + k % 2] =
          static_cast<uint8_t>(k * 16 + lanePlace(Format::e4m3, lane));
  return places;
}

// Each byte times a matrix of bits, plus a constant: bit i of the result is the parity of the byte
// and byte 7 - i of the matrix.
template <int Constant> LATHE_INLINE u8x64 affine(u8x64 bytes, uint64_t matrix) {
#ifdef __GFNI__
  typedef uint64_t u64x8 __attribute__((vector_size(64)));
  return __builtin_bit_cast(u8x64, __builtin_ia32_vgf2p8affineqb_v64qi(
                                       __builtin_bit_cast(c8x64, bytes),
                                       __builtin_bit_cast(c8x64, u64x8{} + matrix), Constant));
#else
  u8x64 out = {};
  for (int bit = 0; bit < 8; ++bit) {
    u8x64 parity = bytes & static_cast<uint8_t>(matrix >> 8 * (7 - bit));
    for (int shift = 4; shift > 0; shift /= 2)
      parity ^= parity >> shift;
    out |= (parity & 1) << bit;
  }
  return out ^ Constant;
#endif
}

LATHE_INLINE u8x64 inUnpackPlaces(const char *codes) {
  static constexpr PairPlaces places = unpackPlaces();
#ifdef __AVX512VBMI__
  return __builtin_bit_cast(
      u8x64, __builtin_ia32_permvarqi512(load<c8x64>(codes), load<c8x64>(places.place)));
#else
  u8x64 out;
  for (int i = 0; i < 64; ++i)
    out[i] = static_cast<uint8_t>(codes[places.place[i]]);
  return out;
#endif
}
// With an exponent that is not 0, s eeee mmm is the bf16 s 0111 eeee mmm 0000: one matrix makes the
// upper byte of it, s 0111 eee, one the lower.
LATHE_INLINE void unpackE4m3(u8x64 codes, char *out) {
  u8x64 high = affine<0x38>(codes, 0x1020400000000080), low = affine<0>(codes, 0x01020408);
  store(out, __builtin_shufflevector(low, high, 0, 64, 1, 65, 2, 66, 3, 67, 4, 68, 5, 69, 6, 70, 7,
                                     71, 16, 80, 17, 81, 18, 82, 19, 83, 20, 84, 21, 85, 22, 86, 23,
                                     87, 32, 96, 33, 97, 34, 98, 35, 99, 36, 100, 37, 101, 38, 102,
                                     39, 103, 48, 112, 49, 113, 50, 114, 51, 115, 52, 116, 53, 117,
                                     54, 118, 55, 119));
  store(out + 64, __builtin_shufflevector(low, high, 8, 72, 9, 73, 10, 74, 11, 75, 12, 76, 13, 77,
                                          14, 78, 15, 79, 24, 88, 25, 89, 26, 90, 27, 91, 28, 92,
                                          29, 93, 30, 94, 31, 95, 40, 104, 41, 105, 42, 106, 43,
                                          107, 44, 108, 45, 109, 46, 110, 47, 111, 56, 120, 57, 121,
                                          58, 122, 59, 123, 60, 124, 61, 125, 62, 126, 63, 127));
}

// As pairsOfBytes for e4m3, eight k, in half the time. zero_exponents: whether there may be any, as
// the tile says (zeroExponents). A test of the codes would be a fourth operation for 64 of them on
// the one port that moves bytes.
LATHE_INLINE void pairsOfE4m3(const char *codes, bool zero_exponents, char *out) {
  if (__builtin_expect(zero_exponents, 0))
    return pairsByTable(codes, out);
  unpackE4m3(inUnpackPlaces(codes), out);
  unpackE4m3(inUnpackPlaces(codes + 64), out + 128);
}

// 32 bf16 codes: 2 k of 16 lanes, a row of pairs.
LATHE_INLINE u16x32 pairsOfBf16(u16x32 codes) {
  return __builtin_shufflevector(codes, codes, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28,
                                 14, 30, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
}

// 4 k of a tile, not of i4 or e4m3, two rows of pairs.
LATHE_INLINE void pairsOfCodes(const char *codes, int64_t format, char *out) {
  static constexpr Bf16Table e5m2 = bf16Table(Format::e5m2);
  if (format == Format::bf16) {
    store(out, pairsOfBf16(load<u16x32>(codes)));
    store(out + 64, pairsOfBf16(load<u16x32>(codes + 64)));
  } else if (format == Format::i8) {
    store(out, pairUpper(decodeI8(codes), decodeI8(codes + 16)));
    store(out + 64, pairUpper(decodeI8(codes + 32), decodeI8(codes + 48)));
  } else {
    pairsOfBytes(load<u8x64>(codes), e5m2, out);
  }
}

// Eight k of a tile as four rows of pairs. zero_exponents: of e4m3, whether there may be any.
LATHE_INLINE void pairsOfEight(const char *codes, int64_t format, bool zero_exponents, char *out) {
  if (format == Format::e4m3)
    return pairsOfE4m3(codes, zero_exponents, out);
  if (format == Format::i4) {
    f32x16 values[nibbles];
    decodeNibbles(codes, values);
    for (int i = 0; i < nibbles; i += 2)
      store(out + i * 32, pairUpper(values[i], values[i + 1]));
    return;
  }
  pairsOfCodes(codes, format, out);
  pairsOfCodes(codes + 4 * codeRowBytes(format), format, out + 4 * 32);
}

// The same where only `length` are there; zeros behind them.
LATHE_INLINE void pairsOfSome(const char *codes, int64_t format, int64_t length, char *out) {
  if (length >= 8)
    return pairsOfEight(codes, format, true, out);
  __builtin_memset(out, 0, 8 * 32);
  if (length <= 0)
    return;
  alignas(64) char there[8 * 2 * tile_rows] = {};
  int64_t bytes = format == Format::i4 ? 64 : length * codeRowBytes(format);
  __builtin_memcpy(there, codes, static_cast<size_t>(bytes));
  pairsOfEight(there, format, true, out);
}

} // namespace lathe::x86
