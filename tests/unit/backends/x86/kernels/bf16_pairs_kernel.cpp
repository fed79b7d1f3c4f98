// bf16_pairs.h compiled for one kind of processor, for bf16_pairs.cpp.
#include "backends/x86/kernels/bf16_pairs.h"

extern "C" float LATHE_TEST_PAIRS(const char *codes, int64_t format, char *out) {
  lathe::x86::pairsOfStep(codes, format, 32, out);
  return lathe::x86::pairFactor(format);
}
