#include "backends/x86/kernels/function.h"
#include "backends/x86/kernels/row_loop.h"
#include "backends/x86/kernels/rows.h"

using namespace lathe::x86;

LATHE_X86_DEFINE(rope_table)
(const Frame *frame, const int64_t *operands, const RopeTableParams *params, int64_t begin,
 int64_t end) {
  const RopeTableParams &p = *params;
  const float *frequencies = resolve<float>(frame, operands[RopeTableOperand::frequencies]);
  float *result = resolve<float>(frame, operands[RopeTableOperand::result]);
  const int32_t *positions = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::positions]);
  float magnitude = bitsFloat(p.magnitude);
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    float *row = result + t * 2 * p.half;
    for (int64_t i = 0; i < p.half; ++i) {
      double sine, cosine;
      sineCosine(static_cast<float>(positions[t]) * frequencies[i], sine, cosine);
      row[i] = static_cast<float>(cosine) * magnitude;
      row[p.half + i] = static_cast<float>(sine) * magnitude;
    }
  });
}

LATHE_X86_DEFINE(rope)
(const Frame *frame, const int64_t *operands, const RopeParams *params, int64_t begin,
 int64_t end) {
  const RopeParams &p = *params;
  const float *input = resolve<float>(frame, operands[RopeOperand::input]);
  const float *table = resolve<float>(frame, operands[RopeOperand::table]);
  float *result = resolve<float>(frame, operands[RopeOperand::result]);
  int64_t after = p.offset + 2 * p.half;
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    const float *cosine = table + t * 2 * p.half, *sine = cosine + p.half;
    for (int64_t h = 0; h < p.heads; ++h) {
      const float *from = input + t * p.input_stride + h * p.head_dim;
      float *to = result + t * p.result_stride + h * p.head_dim;
      for (int64_t j = 0; j < p.offset; ++j)
        to[j] = from[j];
      for (int64_t i = 0; i < p.half; ++i) {
        int64_t first = p.offset + (p.pairs ? 2 * i : i), second = first + (p.pairs ? 1 : p.half);
        float x = from[first], y = from[second];
        to[first] = x * cosine[i] - y * sine[i];
        to[second] = x * sine[i] + y * cosine[i];
      }
      for (int64_t j = after; j < p.head_dim; ++j)
        to[j] = from[j];
    }
  });
}
