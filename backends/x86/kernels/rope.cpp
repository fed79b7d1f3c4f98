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

namespace {

template <typename T> LATHE_INLINE void rotate(T &x, T &y, T cosine, T sine) {
  T first = x * cosine - y * sine;
  y = x * sine + y * cosine;
  x = first;
}

// Pairs i to i + 15 of a head, in either layout. `to` may be `from`.
LATHE_INLINE void rotate16(const float *from, float *to, const RopeParams &p, int64_t i,
                           const float *cosine, const float *sine) {
  int64_t first = p.pairs ? 2 * i : i, second = p.pairs ? 2 * i + 16 : i + p.half;
  f32x16 a = load16(from + first), b = load16(from + second);
  if (!p.pairs) {
    rotate(a, b, load16(cosine + i), load16(sine + i));
    store16(to + first, a);
    return store16(to + second, b);
  }
  f32x16 x = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28,
                                     30),
         y = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29,
                                     31);
  rotate(x, y, load16(cosine + i), load16(sine + i));
  store16(to + first,
          __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  store16(to + second, __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                                               14, 30, 15, 31));
}

LATHE_INLINE void rotateHead(const float *from, float *to, const RopeParams &p, const float *cosine,
                             const float *sine) {
  int64_t i = 0;
  for (; i + 16 <= p.half; i += 16)
    rotate16(from, to, p, i, cosine, sine);
  for (; i < p.half; ++i) {
    int64_t first = p.pairs ? 2 * i : i, second = first + (p.pairs ? 1 : p.half);
    float x = from[first], y = from[second];
    rotate(x, y, cosine[i], sine[i]);
    to[first] = x, to[second] = y;
  }
}

LATHE_INLINE void copyFloats(const float *from, float *to, int64_t count) {
  if (to != from)
    __builtin_memcpy(to, from, static_cast<size_t>(count) * 4);
}

} // namespace

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
      copyFloats(from, to, p.offset);
      rotateHead(from + p.offset, to + p.offset, p, cosine, sine);
      copyFloats(from + after, to + after, p.head_dim - after);
    }
  });
}
