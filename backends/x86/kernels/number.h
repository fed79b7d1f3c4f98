// Number formats as vectors: 16 codes in a weight's memory order to f32, and f32 to codes.
#pragma once

#include "backends/x86/kernels/simd.h"
#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

// e4m3 as f16 bits is the number times 2^-8 (performance: shifts only, exact on all finite codes).
LATHE_INLINE constexpr float decodeFactor(int64_t format) {
  return format == Format::e4m3 ? 256.0f : 1.0f;
}

LATHE_INLINE f32x16 joinHalves(u32x8 low, u32x8 high) {
  return __builtin_bit_cast(f32x16, __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
                                                            10, 11, 12, 13, 14, 15));
}
LATHE_INLINE f32x16 widenHalf(u16x16 bits) {
  return __builtin_convertvector(__builtin_bit_cast(f16x16, bits), f32x16);
}
// The f32 bits of the bf16 in the low, or in the high, halves of words.
template <typename Words> LATHE_INLINE Words lowBf16(Words words) { return words << 16; }
template <typename Words> LATHE_INLINE Words highBf16(Words words) { return words & 0xffff0000u; }

LATHE_INLINE f32x16 decodeBf16(const char *codes) {
  u32x8 words = load<u32x8>(codes);
  return joinHalves(lowBf16(words), highBf16(words));
}

// The f16 bits of 8-bit codes in the low (even codes) or high (odd codes) bytes of words.
template <typename Words> LATHE_INLINE Words halfBits(Words words, int64_t format) {
  return format == Format::e4m3 ? (words >> 1) & static_cast<int16_t>(0xBF80)
                                : words & static_cast<int16_t>(0xFF00);
}

LATHE_INLINE f32x16 decodeByte(const char *codes, int64_t format) {
  i16x8 words = load<i16x8>(codes);
  i16x8 even = halfBits(static_cast<i16x8>(words << 8), format), odd = halfBits(words, format);
  return widenHalf(
      __builtin_bit_cast(u16x16, __builtin_shufflevector(even, odd, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
                                                         10, 11, 12, 13, 14, 15)));
}

LATHE_INLINE f32x16 decodeI8(const char *codes) {
  return __builtin_convertvector(load<i8x16>(codes), f32x16);
}

// 16 codes as f32 divided by decodeFactor(format), in the order of the rows. Not for i4, whose
// codes of one k are no bytes.
LATHE_INLINE f32x16 decode(const char *codes, int64_t format) {
  switch (format) {
  case Format::f32: return load<f32x16>(codes);
  case Format::bf16: return decodeBf16(codes);
  case Format::f16: return widenHalf(load<u16x16>(codes));
  case Format::i8: return decodeI8(codes);
  default: return decodeByte(codes, format);
  }
}

// Two times 16 codes, one after the other; twice as fast as two calls for 8-bit codes on AVX2.
LATHE_INLINE void decodePair(const char *codes, int64_t format, f32x16 &first, f32x16 &second) {
  if (formatBytes(format) != 1 || format == Format::i8) {
    first = decode(codes, format);
    second = decode(codes + 16 * formatBytes(format), format);
    return;
  }
  i16x16 words = load<i16x16>(codes);
  i16x16 even = halfBits(static_cast<i16x16>(words << 8), format), odd = halfBits(words, format);
  first = widenHalf(
      __builtin_bit_cast(u16x16, __builtin_shufflevector(even, odd, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17,
                                                         18, 19, 20, 21, 22, 23)));
  second = widenHalf(
      __builtin_bit_cast(u16x16, __builtin_shufflevector(even, odd, 8, 9, 10, 11, 12, 13, 14, 15,
                                                         24, 25, 26, 27, 28, 29, 30, 31)));
}

// f32 rounded to bf16, to nearest even, as f32. NaN stays NaN.
LATHE_INLINE f32x16 roundBf16(f32x16 value) {
  u32x16 bits = __builtin_bit_cast(u32x16, value);
  u32x16 rounded = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000u;
  u32x16 quiet = (bits | 0x00400000u) & 0xffff0000u;
  return __builtin_bit_cast(f32x16, (bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}
// 16 bf16 in rising order, as rows have them.
LATHE_INLINE f32x16 widenBf16(u16x16 values) {
  return __builtin_bit_cast(f32x16, __builtin_convertvector(values, u32x16) << 16);
}
LATHE_INLINE u16x16 narrowBf16(f32x16 rounded) {
  return __builtin_convertvector(__builtin_bit_cast(u32x16, rounded) >> 16, u16x16);
}
LATHE_INLINE f32x16 roundF16(f32x16 value) {
  return __builtin_convertvector(__builtin_convertvector(value, f16x16), f32x16);
}
// f32 rounded to e4m3, to nearest even, saturating at 448, as f32.
LATHE_INLINE f32x16 roundE4m3(f32x16 value) {
  u32x16 bits = __builtin_bit_cast(u32x16, value);
  f32x16 normal = __builtin_bit_cast(f32x16, (bits + 0x7ffff + ((bits >> 20) & 1)) & 0xfff00000u);
  f32x16 magic = splat(24576.0f); // 1.5 * 2^(23 - 9): adding it rounds to multiples of 2^-9
  f32x16 small = (value + magic) - magic;
  f32x16 rounded = absolute(value) < 0.015625f ? small : normal;
  f32x16 limited = rounded > 448.0f ? splat(448.0f) : rounded;
  return limited < -448.0f ? splat(-448.0f) : limited;
}

// Where the scales of the block of k stand, in a tile that has scales.
LATHE_INLINE const char *scalesOf(const char *tile, const WeightParams &w, int64_t k) {
  return tile + codeBytes(w.k, w.format) + k / w.scale_block_k * scaleRowBytes(w.scale_mode);
}
// Where a tile of e4m3 says whether few of its codes are subnormal.
LATHE_INLINE const char *fewSubnormals(const char *tile, const WeightParams &w) {
  return tile + behindScales(w);
}
// And which eights of k have exponents of 0: a bit each for so many k from k on, a multiple of 8.
constexpr int64_t zero_exponents_k = 456;
LATHE_INLINE uint64_t zeroExponents(const char *tile, const WeightParams &w, int64_t k) {
  return load<uint64_t>(fewSubnormals(tile, w) + few_bytes + k / 64) >> k / 8 % 8;
}
LATHE_INLINE f32x16 laneScales(const char *tile, const WeightParams &w, int64_t k) {
  const char *scales = scalesOf(tile, w, k);
  switch (w.scale_mode) {
  case ScaleMode::tile: return splat(load<float>(scales));
  case ScaleMode::lane: return load<f32x16>(scales);
  default: return widenHalf(load<u16x16>(scales));
  }
}
// The scale of the code of (k, lane).
LATHE_INLINE float scaleAt(const char *tile, const WeightParams &w, int64_t k, int64_t lane) {
  const char *scales = scalesOf(tile, w, k);
  switch (w.scale_mode) {
  case ScaleMode::tile: return load<float>(scales);
  case ScaleMode::lane: return load<float>(scales + lane * 4);
  default: return static_cast<float>(load<_Float16>(scales + lane * 2));
  }
}

// Stores 16 numbers as codes of f32, bf16 or f16 in the memory order of `format`.
LATHE_INLINE void encode(char *codes, int64_t format, f32x16 value) {
  if (format == Format::f32)
    return store(codes, value);
  if (format == Format::f16)
    return store(codes, __builtin_convertvector(value, f16x16));
  u32x16 bits = __builtin_bit_cast(u32x16, roundBf16(value));
  u32x8 low = __builtin_shufflevector(bits, bits, 0, 1, 2, 3, 4, 5, 6, 7);
  u32x8 high = __builtin_shufflevector(bits, bits, 8, 9, 10, 11, 12, 13, 14, 15);
  store(codes, (low >> 16) | high);
}

// One number.
LATHE_INLINE void encodeOne(char *code, int64_t format, float value) {
  if (format == Format::f32)
    return store(code, value);
  if (format == Format::f16)
    return store(code, static_cast<_Float16>(value));
  u32x16 bits = __builtin_bit_cast(u32x16, roundBf16(splat(value)));
  store(code, static_cast<uint16_t>(bits[0] >> 16));
}

} // namespace lathe::x86
