#include "backends/x86/kernels/number.h"
#include "backends/x86/kernels/row_loop.h"
#include "backends/x86/kernels/rows.h"
#include "backends/x86/kernels/stored_rows.h"

using namespace lathe::x86;

LATHE_X86_DEFINE(cast)
(const Frame *frame, const int64_t *operands, const CastParams *params, int64_t begin,
 int64_t end) {
  const CastParams &p = *params;
  const float *input = resolve<float>(frame, operands[CastOperand::input]);
  StoredRows result = {resolve<char>(frame, operands[CastOperand::result]), p.result_in,
                       p.result_stride, p.columns};
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    eachVector(p.columns, [&](int64_t j, int64_t here) LATHE_BODY {
      f32x16 x = loadSome(input + t * p.input_stride + j, here);
      result.store16At(t, j,
                       p.format == Format::bf16  ? roundBf16(x)
                       : p.format == Format::f16 ? roundF16(x)
                                                 : x);
    });
  });
}

// The smallest power of two that is not less than s (s is normal).
static LATHE_INLINE float powerOfTwoAbove(float s) {
  uint32_t bits = __builtin_bit_cast(uint32_t, s);
  return __builtin_bit_cast(float, (bits + 0x007fffffu) & 0xff800000u);
}

static LATHE_INLINE float scaleOf(float largest, const QuantizeParams &p) {
  if (p.format == Format::i8)
    return larger(largest, 1e-30f) / 127.0f;
  float s = larger(largest, 1e-4f) / 448.0f;
  return p.power_of_two ? powerOfTwoAbove(s) : s;
}

static LATHE_INLINE f32x16 codesOf(f32x16 scaled, const QuantizeParams &p) {
  return p.format == Format::i8 ? __builtin_elementwise_roundeven(scaled) : roundE4m3(scaled);
}

static LATHE_INLINE void storeCodes(char *to, f32x16 codes, int64_t here, const QuantizeParams &p) {
  if (p.codes_in == RowsIn::i8)
    return storeSome(reinterpret_cast<int8_t *>(to), __builtin_convertvector(codes, i8x16), here);
  storeSome(reinterpret_cast<float *>(to), codes, here);
}

LATHE_X86_DEFINE(quantize)
(const Frame *frame, const int64_t *operands, const QuantizeParams *params, int64_t begin,
 int64_t end) {
  const QuantizeParams &p = *params;
  const float *input = resolve<float>(frame, operands[QuantizeOperand::input]);
  char *codes = resolve<char>(frame, operands[QuantizeOperand::codes]);
  float *scales = resolve<float>(frame, operands[QuantizeOperand::scales]);
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    for (int64_t b = 0; b * p.block < p.columns; ++b) {
      const float *from = input + t * p.input_stride + b * p.block;
      char *to = codes + rowBytes(p.codes_in, p.codes_stride) * t +
                 columnBytes(p.codes_in, p.codes_stride, b * p.block);
      int64_t columns = smaller(p.block, p.columns - b * p.block);
      f32x16 largest = {};
      eachVector(columns, [&](int64_t j, int64_t here) LATHE_BODY {
        largest = maximum(largest, absolute(loadSome(from + j, here)));
      });
      float s = scaleOf(maxLanes(largest), p);
      scales[t * p.scales_stride + b] = s;
      eachVector(columns, [&](int64_t j, int64_t here) LATHE_BODY {
        storeCodes(to + j * valueBytes(p.codes_in), codesOf(loadSome(from + j, here) / s, p), here,
                   p);
      });
    }
  });
}
