// The product of VNNI in plain C++, so that kernels for it are tested on every machine. Included by
// backends/x86/kernels/dots.h, inside its namespace.

inline i32x16 addFours(i32x16 sum, i32x16 x, i32x16 w) {
  u8x64 a = __builtin_bit_cast(u8x64, x);
  i8x64 b = __builtin_bit_cast(i8x64, w);
  for (int i = 0; i < 64; ++i)
    sum[i / 4] += a[i] * b[i];
  return sum;
}
