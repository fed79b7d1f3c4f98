#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "backends/x86/kernels/weight.h"
#include "base/float_formats.h"

// bf16_pairs_kernel.cpp for each kind of processor: 32 k of 16 lanes, with a bit for each eight of
// them that may have exponents of 0; returns the pairs' factor.
extern "C" float lathe_test_pairs_v3(const char *codes, int64_t format, int64_t zero_exponents,
                                     char *out);
extern "C" float lathe_test_pairs_gfni(const char *codes, int64_t format, int64_t zero_exponents,
                                       char *out);

namespace lathe::x86 {
namespace {

using Maker = float (*)(const char *codes, int64_t format, int64_t zero_exponents, char *out);

float valueOf(uint8_t code, int64_t format) {
  return format == Format::e4m3 ? f32FromE4m3(code) : f32FromE5m2(code);
}

float bf16At(const char *pairs, int64_t k, int64_t lane) {
  uint16_t bits;
  std::memcpy(&bits, pairs + k / 2 * 64 + lane * 4 + k % 2 * 2, sizeof bits);
  return f32FromBf16(bits);
}

int64_t zeroExponentsOf(const uint8_t (&codes)[512]) {
  int64_t bits = 0;
  for (int i = 0; i < 512; ++i)
    bits |= static_cast<int64_t>((codes[i] & 0x78) == 0) << i / 128;
  return bits;
}

void expectPairs(Maker maker, const uint8_t (&codes)[512], int64_t format, int64_t zero_exponents) {
  alignas(64) char in[512], out[1024];
  std::memcpy(in, codes, sizeof in);
  float factor = maker(in, format, zero_exponents, out);
  for (int64_t k = 0; k < 32; ++k)
    for (int64_t lane = 0; lane < 16; ++lane) {
      uint8_t code = codes[k * 16 + lanePlace(format, lane)];
      ASSERT_EQ(bf16At(out, k, lane) * factor, valueOf(code, format))
          << "code " << int{code} << ", k " << k << ", lane " << lane;
    }
}

// Every code at every place of a vector, among numbers that are not subnormal.
void expectAllCodes(Maker maker, int64_t format) {
  for (int i = 0; i < 256; ++i) {
    auto code = static_cast<uint8_t>(i);
    if (!std::isfinite(valueOf(code, format)))
      continue;
    uint8_t codes[512];
    for (int at = 0; at < 512; ++at)
      codes[at] = static_cast<uint8_t>(0x30 + at * 7 % 64 + at % 2 * 128);
    for (int vector = 0; vector < 8; ++vector)
      std::memset(codes + vector * 64 + vector * 8, code, 8);
    expectPairs(maker, codes, format, zeroExponentsOf(codes));
    expectPairs(maker, codes, format, 15); // which costs time and changes nothing
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
