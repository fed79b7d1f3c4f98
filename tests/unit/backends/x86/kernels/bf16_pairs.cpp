#include <bit>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "backends/x86/kernels/weight.h"

// bf16_pairs_kernel.cpp for each kind of processor: 32 k of 16 lanes; returns the pairs' factor.
extern "C" float lathe_test_pairs_v3(const char *codes, int64_t format, char *out);
extern "C" float lathe_test_pairs_gfni(const char *codes, int64_t format, char *out);

namespace lathe::x86 {
namespace {

using Maker = float (*)(const char *codes, int64_t format, char *out);

double valueOf(uint8_t code, int64_t format) {
  int mantissa_bits = format == Format::e4m3 ? 3 : 2, bias = format == Format::e4m3 ? 7 : 15;
  int exponent = (code & 0x7f) >> mantissa_bits, mantissa = code & ((1 << mantissa_bits) - 1);
  double value = std::ldexp(mantissa + (exponent ? 1 << mantissa_bits : 0),
                            (exponent ? exponent : 1) - bias - mantissa_bits);
  return code & 0x80 ? -value : value;
}

bool isNumber(int code, int64_t format) {
  return (code & 0x7f) <= (format == Format::e4m3 ? 0x7e : 0x7b);
}

float bf16At(const char *pairs, int64_t k, int64_t lane) {
  uint16_t bits;
  std::memcpy(&bits, pairs + k / 2 * 64 + lane * 4 + k % 2 * 2, sizeof bits);
  return std::bit_cast<float>(uint32_t{bits} << 16);
}

void expectPairs(Maker maker, const uint8_t (&codes)[512], int64_t format) {
  alignas(64) char in[512], out[1024];
  std::memcpy(in, codes, sizeof in);
  float factor = maker(in, format, out);
  for (int64_t k = 0; k < 32; ++k)
    for (int64_t lane = 0; lane < 16; ++lane) {
      uint8_t code = codes[k * 16 + lanePlace(format, lane)];
      ASSERT_EQ(bf16At(out, k, lane) * factor, valueOf(code, format))
          << "code " << int{code} << ", k " << k << ", lane " << lane;
    }
}

// Every code at every place of a vector, among numbers that are not subnormal.
void expectAllCodes(Maker maker, int64_t format) {
  for (int code = 0; code < 256; ++code) {
    uint8_t codes[512];
    for (int i = 0; i < 512; ++i)
      codes[i] = static_cast<uint8_t>(0x30 + i * 7 % 64 + i % 2 * 128);
    for (int vector = 0; vector < 8 && isNumber(code, format); ++vector)
      for (int i = 0; i < 8; ++i)
        codes[vector * 64 + vector * 8 + i] = static_cast<uint8_t>(code);
    expectPairs(maker, codes, format);
  }
}

TEST(Bf16Pairs, areTheValuesOfAllCodes) {
  expectAllCodes(lathe_test_pairs_v3, Format::e4m3);
  expectAllCodes(lathe_test_pairs_v3, Format::e5m2);
}

TEST(Bf16Pairs, areTheSameByGfni) {
  if (!__builtin_cpu_supports("avx512vbmi") || !__builtin_cpu_supports("gfni"))
    GTEST_SKIP() << "this processor has no AVX-512 VBMI and GFNI";
  expectAllCodes(lathe_test_pairs_gfni, Format::e4m3);
  expectAllCodes(lathe_test_pairs_gfni, Format::e5m2);
}

} // namespace
} // namespace lathe::x86
