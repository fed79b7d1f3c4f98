// Runs of f32 to codes, and codes to f32. The compiler makes vectors of these loops.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

// out[i] = the value of code i, all of them finite; i8 and i4 a byte each.
void decodeRun(Format::Kind format, const uint8_t *codes, int64_t count, float *out);

// The largest magnitude; NaNs aside.
float largestMagnitude(const float *values, int64_t count);

// To nearest even. What is too large becomes an infinity.
void encodeBf16(const float *values, int64_t count, uint16_t *codes);

// values[i] / scale to nearest even, saturating at 448.
void encodeE4m3(const float *values, int64_t count, float scale, uint8_t *codes);

// One block of Q8_0 or Q4_0, at most 32 values. Gives d as f16 bits, an infinity where f16 cannot
// hold it; the codes are in two's complement, a byte each.
uint16_t encodeQ8_0(const float *values, int64_t count, int8_t *codes);
uint16_t encodeQ4_0(const float *values, int64_t count, int8_t *codes);

} // namespace lathe::x86
