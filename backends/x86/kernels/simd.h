// Vectors of 16 f32 and what the kernels do with them, for clang. A vector is two ymm on x86-64-v3
// and one zmm from x86-64-v4 on; LATHE_X86_WIDE chooses the register tiles of the latter, and can
// be set on any machine to test them. Nothing here calls libm.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifndef LATHE_X86_WIDE
#ifdef __AVX512F__
#define LATHE_X86_WIDE 1
#else
#define LATHE_X86_WIDE 0
#endif
#endif

#define LATHE_INLINE inline __attribute__((always_inline))
#define LATHE_BODY __attribute__((always_inline)) // the same behind a lambda's parameters
// A kernel's definition: emitted, and inlined into each wrapper.
#define LATHE_X86_DEFINE(name) extern "C" __attribute__((always_inline)) void lathe_x86_##name
// Scratch on the stack whose size is a constant once the kernel is inlined.
#define LATHE_STACK_BYTES(count)                                                                   \
  static_cast<char *>(__builtin_alloca_with_align(static_cast<size_t>(count), 512))
#define LATHE_STACK_FLOATS(count) reinterpret_cast<float *>(LATHE_STACK_BYTES(4 * (count)))

namespace lathe::x86 {

typedef float f32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef uint32_t u32x8 __attribute__((vector_size(32)));
typedef uint16_t u16x16 __attribute__((vector_size(32)));
typedef int16_t i16x16 __attribute__((vector_size(32)));
typedef int16_t i16x32 __attribute__((vector_size(64)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef int8_t i8x16 __attribute__((vector_size(16)));
typedef int16_t i16x8 __attribute__((vector_size(16)));
typedef _Float16 f16x16 __attribute__((vector_size(32)));

constexpr int lanes = 16;

template <typename V> LATHE_INLINE V load(const void *from) {
  V result;
  __builtin_memcpy(&result, from, sizeof(V));
  return result;
}
template <typename V> LATHE_INLINE void store(void *to, V value) {
  __builtin_memcpy(to, &value, sizeof(V));
}

LATHE_INLINE f32x16 load16(const float *from) { return load<f32x16>(from); }
LATHE_INLINE void store16(float *to, f32x16 value) { store(to, value); }

// The first `count` lanes; the others are zero, and nothing is read or written there.
LATHE_INLINE f32x16 loadSome(const float *from, int64_t count) {
  if (count >= lanes)
    return load16(from);
  f32x16 result = {};
  for (int64_t i = 0; i < count; ++i)
    result[i] = from[i];
  return result;
}
template <typename Element, typename V>
LATHE_INLINE void storeSome(Element *to, V value, int64_t count) {
  if (count >= lanes)
    return store(to, value);
  for (int64_t i = 0; i < count; ++i)
    to[i] = value[i];
}

// Not `f32x16{} + value`: an addition of zero stays in the code, since it changes -0.
LATHE_INLINE f32x16 splat(float value) {
  f32x16 first = {value};
  return __builtin_shufflevector(first, first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
LATHE_INLINE f32x16 fma(f32x16 a, f32x16 b, f32x16 c) { return __builtin_elementwise_fma(a, b, c); }
LATHE_INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
LATHE_INLINE f32x16 maximum(f32x16 a, f32x16 b) { return a > b ? a : b; }
LATHE_INLINE f32x16 absolute(f32x16 a) { return __builtin_elementwise_abs(a); }

// Sums and maxima of the lanes, always in the same order.
#define LATHE_HALVES(v, a, b)                                                                      \
  a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);                                       \
  b = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15)
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x4 __attribute__((vector_size(16)));
LATHE_INLINE float sumLanes(f32x16 v) {
  LATHE_HALVES(v, f32x8 a, f32x8 b);
  f32x8 e = a + b;
  f32x4 q = __builtin_shufflevector(e, e, 0, 1, 2, 3) + __builtin_shufflevector(e, e, 4, 5, 6, 7);
  return (q[0] + q[2]) + (q[1] + q[3]);
}
LATHE_INLINE float maxLanes(f32x16 v) {
  LATHE_HALVES(v, f32x8 a, f32x8 b);
  f32x8 e = a > b ? a : b;
  f32x4 l = __builtin_shufflevector(e, e, 0, 1, 2, 3),
        h = __builtin_shufflevector(e, e, 4, 5, 6, 7);
  f32x4 q = l > h ? l : h;
  float x = q[0] > q[2] ? q[0] : q[2], y = q[1] > q[3] ? q[1] : q[3];
  return x > y ? x : y;
}

template <typename T> constexpr T smaller(T a, T b) { return a < b ? a : b; }
template <typename T> constexpr T larger(T a, T b) { return a > b ? a : b; }

} // namespace lathe::x86
