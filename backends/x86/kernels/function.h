// exp, sigmoid, sine and cosine without libm.
#pragma once

#include "backends/x86/kernels/simd.h"

namespace lathe::x86 {

// first x^n + ... + rest, by Horner's rule.
template <typename... Rest> LATHE_INLINE f32x16 polynomial(f32x16 x, float first, Rest... rest) {
  f32x16 sum = splat(first);
  ((sum = fma(sum, x, splat(rest))), ...);
  return sum;
}

// e^x to about 1 ulp; 0 below -87.33 (where the result would be subnormal), infinity above 88.72.
LATHE_INLINE f32x16 exponential(f32x16 x) {
  f32x16 limited = x < -87.33654f ? splat(-87.33654f) : x;
  limited = limited > 88.8f ? splat(88.8f) : limited;
  f32x16 n = __builtin_elementwise_roundeven(limited * 1.44269504f);
  f32x16 r = fma(n, splat(-0.693359375f), limited);
  r = fma(n, splat(2.12194440e-4f), r);
  f32x16 p = polynomial(r, 1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                        1.6666665459e-1f, 5.0000001201e-1f); // Cephes, expf
  p = fma(p, r * r, r) + 1.0f;
  // 2^n in two steps, since 2^128 is no f32.
  i32x16 whole = __builtin_convertvector(n, i32x16), half = whole >> 1;
  f32x16 first = __builtin_bit_cast(f32x16, (half + 127) << 23);
  f32x16 second = __builtin_bit_cast(f32x16, (whole - half + 127) << 23);
  f32x16 result = p * first * second;
  return x < -87.33654f ? splat(0.0f) : result;
}
LATHE_INLINE float exponential(float x) { return exponential(splat(x))[0]; }

// 2^x to about 1 ulp, for x <= 0; 0 below -126.
LATHE_INLINE f32x16 powerOfTwo(f32x16 x) {
  f32x16 limited = maximum(x, splat(-126.0f));
  f32x16 n = __builtin_elementwise_roundeven(limited), r = limited - n;
  f32x16 p = polynomial(r, 1.535336188319500e-4f, 1.339887440266574e-3f, 9.618437357674640e-3f,
                        5.550332471162809e-2f, 2.402264791363012e-1f, 6.931472028550421e-1f,
                        1.0f); // Cephes, exp2f
  i32x16 exponent = __builtin_convertvector(n, i32x16) << 23;
  f32x16 result = __builtin_bit_cast(f32x16, __builtin_bit_cast(i32x16, p) + exponent);
  return x < -126.0f ? splat(0.0f) : result;
}

LATHE_INLINE f32x16 sigmoid(f32x16 x) { return 1.0f / (exponential(-x) + 1.0f); }
LATHE_INLINE f32x16 gated(f32x16 gate, f32x16 up) { return gate * sigmoid(gate) * up; }

// sine and cosine in f64 to well under an f32 ulp for |x| up to 1e8: the argument less a multiple
// of pi / 2 in three parts (Cody and Waite), then the series of the small angle.
LATHE_INLINE void sineCosine(double x, double &sine, double &cosine) {
  double n = __builtin_roundeven(x * 0.63661977236758134308);
  double r = __builtin_fma(n, -1.57079632673412561417e+00, x);
  r = __builtin_fma(n, -6.07710050630396597660e-11, r);
  r = __builtin_fma(n, -2.02226624879595063154e-21, r);
  double z = r * r;
  double s =
      r + r * z *
              (-1.66666666666666324348e-01 +
               z * (8.33333333332248946124e-03 +
                    z * (-1.98412698298579493134e-04 +
                         z * (2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 +
                                                                z * 1.58969099521155010221e-10)))));
  double c =
      1.0 - 0.5 * z +
      z * z *
          (4.16666666666666019037e-02 +
           z * (-1.38888888888741095749e-03 +
                z * (2.48015872894767294178e-05 +
                     z * (-2.75573143513906633035e-07 +
                          z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
  int64_t quadrant = static_cast<int64_t>(n) & 3;
  double odd_s = quadrant & 1 ? c : s, odd_c = quadrant & 1 ? s : c;
  sine = quadrant & 2 ? -odd_s : odd_s;
  cosine = (quadrant + 1) & 2 ? -odd_c : odd_c;
}

} // namespace lathe::x86
