#include "backends/x86/kernels/function.h"
#include "backends/x86/kernels/moe.h"
#include "backends/x86/kernels/product.h"
#include "backends/x86/kernels/row_loop.h"
#include "backends/x86/kernels/stored_rows.h"

using namespace lathe::x86;

namespace {

constexpr float infinity = __builtin_inff();

// scores[e] of a row's logits, in place.
LATHE_INLINE void softmaxScores(float *logits, int64_t experts) {
  f32x16 largest = splat(-infinity);
  for (int64_t e = 0; e < experts; e += 16)
    largest = maximum(largest, load16(logits + e));
  float top = maxLanes(largest);
  f32x16 sum = {};
  for (int64_t e = 0; e < experts; e += 16) {
    f32x16 score = exponential(load16(logits + e) - top);
    store16(logits + e, score);
    sum += score;
  }
  float total = sumLanes(sum);
  for (int64_t e = 0; e < experts; e += 16)
    store16(logits + e, load16(logits + e) / total);
}
LATHE_INLINE void sigmoidScores(float *logits, int64_t experts) {
  for (int64_t e = 0; e < experts; e += 16)
    store16(logits + e, sigmoid(load16(logits + e)));
}

// The first of the largest of `count` values, a multiple of 16; a valid index whatever they are.
LATHE_INLINE int64_t firstLargest(const float *values, int64_t count) {
  f32x16 best = splat(-infinity);
  for (int64_t i = 0; i < count; i += 16)
    best = maximum(load16(values + i), best);
  float top = maxLanes(best);
  for (int64_t i = 0; i < count; ++i)
    if (values[i] == top)
      return i;
  return 0;
}

LATHE_INLINE float groupScore(const float *selection, int64_t size, int64_t kind) {
  float first = -infinity, second = -infinity;
  for (int64_t i = 0; i < size; ++i) {
    float value = selection[i];
    second = value > first ? first : value > second ? value : second;
    first = value > first ? value : first;
  }
  return kind == GroupScore::top2_sum && size > 1 ? first + second : first;
}

// Experts of the groups that are not kept become -infinity.
LATHE_INLINE void keepGroups(float *selection, const MoeRouteParams &p) {
  float scores[max_experts];
  bool kept[max_experts] = {};
  int64_t size = p.router.n / p.n_group;
  for (int64_t g = 0; g < p.n_group; ++g)
    scores[g] = groupScore(selection + g * size, size, p.group_score);
  for (int64_t i = 0; i < p.topk_group; ++i) {
    int64_t best = 0;
    float top = -infinity;
    bool found = false;
    for (int64_t g = 0; g < p.n_group; ++g)
      if (!kept[g] && (!found || scores[g] > top)) {
        best = g;
        top = scores[g];
        found = true;
      }
    kept[best] = true;
  }
  for (int64_t e = 0; e < p.router.n; ++e)
    if (!kept[e / size])
      selection[e] = -infinity;
}

// One row: scores f32 [E] to indices and weights.
LATHE_INLINE void choose(const float *scores, const float *bias, const MoeRouteParams &p,
                         int32_t *indices, float *weights) {
  alignas(64) float selection[max_experts];
  int64_t width = roundUp(p.router.n, 16);
  for (int64_t e = 0; e < width; ++e)
    selection[e] = e >= p.router.n ? -infinity : p.has_bias ? scores[e] + bias[e] : scores[e];
  if (p.n_group > 1)
    keepGroups(selection, p);
  bool taken[max_experts] = {};
  float sum = 0;
  for (int64_t k = 0; k < p.top_k; ++k) {
    int64_t best = firstLargest(selection, width);
    if (best >= p.router.n)
      best = 0;
    for (int64_t e = 0; taken[best] && e < p.router.n; ++e) // only -infinities and NaNs are left
      best = e;
    taken[best] = true;
    selection[best] = -infinity;
    indices[k] = static_cast<int32_t>(best);
    weights[k] = scores[best];
    sum += scores[best];
  }
  for (int64_t k = 0; k < p.top_k; ++k)
    weights[k] = (p.renormalize ? weights[k] / (sum + 1e-20f) : weights[k]) * bitsFloat(p.factor);
}

LATHE_INLINE void roundRows(const float *input, int64_t first, int64_t count,
                            const MoeRouteParams &p, const StoredRows &rounded) {
  for (int64_t row = first; row < first + count; ++row)
    eachVector(p.router.k, [&](int64_t j, int64_t here) LATHE_BODY {
      rounded.store16At(row, j, loadSome(input + row * p.input_stride + j, here));
    });
}

} // namespace

LATHE_X86_DEFINE(moe_route)
(const Frame *frame, const int64_t *operands, const MoeRouteParams *params, int64_t begin,
 int64_t end) {
  const MoeRouteParams &p = *params;
  const float *input = resolve<float>(frame, operands[MoeRouteOperand::input]);
  const char *router =
      p.from_logits ? nullptr : resolve<char>(frame, operands[MoeRouteOperand::router]);
  const float *bias = p.has_bias ? resolve<float>(frame, operands[MoeRouteOperand::bias]) : nullptr;
  int32_t *indices = resolve<int32_t>(frame, operands[MoeRouteOperand::indices]);
  float *weights = resolve<float>(frame, operands[MoeRouteOperand::weights]);
  int64_t experts = p.router.n, width = roundUp(experts, 16),
          total = rowCount(*frame, p.split.source);
  int64_t per_item = p.split.source ? p.split.rows_per_item : 1;
  float *logits = static_cast<float *>(__builtin_alloca_with_align(
      static_cast<size_t>(smaller(per_item, route_rows) * width) * 4, 512));
  for (int64_t i = begin; i < end; ++i) {
    int64_t first = i * per_item, count = smaller(per_item, total - first);
    if (p.from_logits) {
      for (int64_t r = 0; r < count; ++r)
        for (int64_t e = 0; e < experts; ++e)
          logits[r * width + e] = input[(first + r) * p.input_stride + e];
    } else {
      XRows rows = {input + first * p.input_stride, nullptr, nullptr, 1};
      auto keep = [&](int64_t row, int64_t tile, const f32x16 *totals)
                      LATHE_BODY { store16(logits + row * width + tile * 16, totals[0]); };
      product<1>(rows, p.split.source, count, &router, 0, tileCount(experts), p.router,
                 {Activations::f32, p.input_stride, 0, 0, RowsIn::f32}, keep);
      if (p.rounds)
        roundRows(input, first, count, p,
                  {resolve<char>(frame, operands[MoeRouteOperand::rounded]), RowsIn::bf16,
                   p.router.k, p.router.k});
    }
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t e = experts; e < width; ++e)
        logits[r * width + e] = -infinity;
      if (p.score == RouteScore::softmax)
        softmaxScores(logits + r * width, width);
      else
        sigmoidScores(logits + r * width, width);
      choose(logits + r * width, bias, p, indices + (first + r) * p.top_k,
             weights + (first + r) * p.top_k);
    }
  }
}
