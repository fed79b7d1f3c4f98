// bf16_pairs.h compiled for one kind of processor, for bf16_pairs.cpp.
#include "backends/x86/kernels/bf16_pairs.h"

extern "C" float LATHE_TEST_PAIRS(const char *codes, int64_t format, int64_t zero_exponents,
                                  char *out) {
  for (int64_t k = 0; k < 32; k += 8)
    lathe::x86::pairsOfEight(codes + k * lathe::x86::codeRowBytes(format), format,
                             zero_exponents >> k / 8 & 1, out + k * 32);
  return lathe::x86::pairFactor(format);
}
