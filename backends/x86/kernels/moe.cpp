#include "backends/x86/kernels/moe.h"

#include "backends/x86/kernels/function.h"
#include "backends/x86/kernels/product.h"
#include "backends/x86/kernels/stored_rows.h"

using namespace lathe::x86;

LATHE_X86_DEFINE(moe_sort)
(const Frame *frame, const int64_t *operands, const MoeSortParams *params, int64_t begin,
 int64_t end) {
  if (begin >= end)
    return;
  const int32_t *indices = resolve<int32_t>(frame, operands[MoeSortOperand::indices]);
  int32_t *order = resolve<int32_t>(frame, operands[MoeSortOperand::order]);
  int32_t *position = resolve<int32_t>(frame, operands[MoeSortOperand::position]);
  int32_t *offsets = resolve<int32_t>(frame, operands[MoeSortOperand::offsets]);
  int64_t pairs = frame->rows * params->top_k;
  int32_t next[max_experts + 1] = {};
  for (int64_t p = 0; p < pairs; ++p)
    ++next[indices[p] + 1];
  for (int64_t e = 0; e < params->num_experts; ++e)
    next[e + 1] += next[e];
  for (int64_t e = 0; e <= params->num_experts; ++e)
    offsets[e] = next[e];
  for (int64_t p = 0; p < pairs; ++p) {
    int32_t place = next[indices[p]]++;
    order[place] = static_cast<int32_t>(p);
    position[p] = place;
  }
}

LATHE_X86_DEFINE(moe_gate_up)
(const Frame *frame, const int64_t *operands, const MoeGateUpParams *params, int64_t begin,
 int64_t end) {
  const MoeGateUpParams &p = *params;
  const WeightParams &w = p.weight;
  const char *gate = resolve<char>(frame, operands[MoeGateUpOperand::gate]);
  const char *up = resolve<char>(frame, operands[MoeGateUpOperand::up]);
  const int32_t *order = resolve<int32_t>(frame, operands[MoeGateUpOperand::order]);
  const int32_t *offsets = resolve<int32_t>(frame, operands[MoeGateUpOperand::offsets]);
  const char *x = resolve<char>(frame, operands[MoeGateUpOperand::x]);
  const float *x_scales =
      p.x.block ? resolve<float>(frame, operands[MoeGateUpOperand::x_scales]) : nullptr;
  StoredRows result = {resolve<char>(frame, operands[MoeGateUpOperand::result]), p.result_in,
                       p.result_stride, w.n};
  for (int64_t i = begin; i < end;) {
    TileItem item = tileItem(i, end, w.n, p.tiles_per_item);
    i = item.next;
    int64_t first = offsets[item.outer], count = offsets[item.outer + 1] - first;
    if (count == 0)
      continue;
    const char *stacks[2] = {gate + item.outer * w.matrix_bytes, up + item.outer * w.matrix_bytes};
    XRows rows = {x, x_scales, order + first, p.top_k};
    auto finish = [&](int64_t row, int64_t tile, const f32x16 *totals) LATHE_BODY {
      result.store16At(first + row, tile * 16, gated(totals[0], totals[1]));
    };
    product<2>(rows, count, stacks, item.begin, item.end, w, p.x, finish);
  }
}

LATHE_X86_DEFINE(moe_down)
(const Frame *frame, const int64_t *operands, const MoeDownParams *params, int64_t begin,
 int64_t end) {
  const MoeDownParams &p = *params;
  const WeightParams &w = p.weight;
  const char *down = resolve<char>(frame, operands[MoeDownOperand::down]);
  const int32_t *offsets = resolve<int32_t>(frame, operands[MoeDownOperand::offsets]);
  const char *x = resolve<char>(frame, operands[MoeDownOperand::x]);
  const float *x_scales =
      p.x.block ? resolve<float>(frame, operands[MoeDownOperand::x_scales]) : nullptr;
  float *result = resolve<float>(frame, operands[MoeDownOperand::result]);
  for (int64_t i = begin; i < end;) {
    TileItem item = tileItem(i, end, w.n, p.tiles_per_item);
    i = item.next;
    int64_t first = offsets[item.outer], count = offsets[item.outer + 1] - first;
    if (count == 0)
      continue;
    const char *stack = down + item.outer * w.matrix_bytes;
    XRows rows = {x + first * rowBytes(p.x),
                  p.x.block ? x_scales + first * p.x.scale_stride : nullptr, nullptr, 1};
    auto at = [&](int64_t row, int64_t tile)
                  LATHE_BODY { return result + (first + row) * p.result_stride + tile * 16; };
    auto store = [&](int64_t row, int64_t tile, const f32x16 *totals) LATHE_BODY {
      storeSome(at(row, tile), totals[0], smaller<int64_t>(16, w.n - tile * 16));
    };
    product<1>(rows, count, &stack, item.begin, item.end, w, p.x, storingAt(at, store));
  }
}

LATHE_X86_DEFINE(moe_combine)
(const Frame *frame, const int64_t *operands, const MoeCombineParams *params, int64_t begin,
 int64_t end) {
  const MoeCombineParams &p = *params;
  const float *rows = resolve<float>(frame, operands[MoeCombineOperand::rows]);
  const int32_t *position = resolve<int32_t>(frame, operands[MoeCombineOperand::position]);
  const float *weights = resolve<float>(frame, operands[MoeCombineOperand::weights]);
  const float *residual =
      p.has_residual ? resolve<float>(frame, operands[MoeCombineOperand::residual]) : nullptr;
  float *result = resolve<float>(frame, operands[MoeCombineOperand::result]);
  int64_t total = rowCount(*frame, p.split.source);
  for (int64_t t = begin * p.split.rows_per_item; t < smaller(total, end * p.split.rows_per_item);
       ++t)
    for (int64_t j = 0; j < p.columns; j += 16) {
      int64_t here = smaller<int64_t>(16, p.columns - j);
      f32x16 sum = {};
      for (int64_t k = 0; k < p.top_k; ++k)
        sum = fma(splat(weights[t * p.top_k + k]),
                  loadSome(rows + position[t * p.top_k + k] * p.rows_stride + j, here), sum);
      if (p.has_residual)
        sum += loadSome(residual + t * p.residual_stride + j, here);
      storeSome(result + t * p.result_stride + j, sum, here);
    }
}

LATHE_X86_DEFINE(moe_gate_up_row)
(const Frame *frame, const int64_t *operands, const MoeGateUpRowParams *params, int64_t begin,
 int64_t end) {
  const MoeGateUpRowParams &p = *params;
  const WeightParams &w = p.weight;
  const char *gate = resolve<char>(frame, operands[MoeGateUpRowOperand::gate]);
  const char *up = resolve<char>(frame, operands[MoeGateUpRowOperand::up]);
  const int32_t *indices = resolve<int32_t>(frame, operands[MoeGateUpRowOperand::indices]);
  XRows rows = {resolve<char>(frame, operands[MoeGateUpRowOperand::x]),
                p.x.block ? resolve<float>(frame, operands[MoeGateUpRowOperand::x_scales])
                          : nullptr,
                nullptr, 1};
  float *result = resolve<float>(frame, operands[MoeGateUpRowOperand::result]);
  for (int64_t i = begin; i < end;) {
    TileItem item = tileItem(i, end, w.n, p.tiles_per_item);
    i = item.next;
    int64_t expert = indices[item.outer];
    const char *stacks[2] = {gate + expert * w.matrix_bytes, up + expert * w.matrix_bytes};
    auto finish = [&](int64_t, int64_t tile, const f32x16 *totals) LATHE_BODY {
      storeSome(result + item.outer * p.result_stride + tile * 16, gated(totals[0], totals[1]),
                smaller<int64_t>(16, w.n - tile * 16));
    };
    oneRow<2>(rows, stacks, item.begin, item.end, w, p.x, finish);
  }
}

// The rows that a token's experts have made, as rowProduct takes them: brought into that form once
// for all tiles, or where that is too much for a stack, each when it is asked for.
struct ExpertRows {
  const char *rows;
  const MoeDownRowParams &p;
  char *space;

  static constexpr int64_t each(const MoeDownRowParams &p) {
    return roundUp(oneRowBytes(p.weight, p.x), 64);
  }
  static constexpr bool keepsAll(const MoeDownRowParams &p) {
    return each(p) > 0 && p.top_k * each(p) <= 256 * 1024;
  }
  static constexpr int64_t bytes(const MoeDownRowParams &p) {
    return keepsAll(p) ? p.top_k * each(p) : each(p);
  }

  LATHE_INLINE const char *take(int64_t k, char *to) const {
    return takeOneRow(rows + k * rowBytes(p.x), p.weight, p.x, to);
  }
  LATHE_INLINE void takeAll() const {
    for (int64_t k = 0; k < p.top_k && keepsAll(p); ++k)
      take(k, space + k * each(p));
  }
  LATHE_INLINE const char *row(int64_t k) const {
    return keepsAll(p) ? space + k * each(p) : take(k, space);
  }
};

// sums of T tiles over the experts, in their order.
template <int T>
static LATHE_INLINE void
downTiles(const MoeDownRowParams &p, const char *down, const int32_t *indices, const float *weights,
          const ExpertRows &rows, const float *h_scales, int64_t tile, f32x16 (&sums)[T]) {
  for (int64_t k = 0; k < p.top_k; ++k) {
    int64_t expert = indices[k], last = k + 1 == p.top_k;
    int64_t next = (indices[last ? 0 : k + 1] - expert) * p.weight.matrix_bytes +
                   (last ? T * p.weight.tile_bytes : 0);
    const char *codes[T];
    f32x16 totals[T];
    for (int t = 0; t < T; ++t)
      codes[t] = down + expert * p.weight.matrix_bytes + (tile + t) * p.weight.tile_bytes;
    rowProduct<T>(rows.row(k), p.x.block ? h_scales + k * p.x.scale_stride : nullptr, codes, next,
                  p.weight, p.x, totals);
    for (int t = 0; t < T; ++t)
      sums[t] = fma(splat(weights[k]), totals[t], sums[t]);
  }
}

LATHE_X86_DEFINE(moe_down_row)
(const Frame *frame, const int64_t *operands, const MoeDownRowParams *params, int64_t begin,
 int64_t end) {
  const MoeDownRowParams &p = *params;
  const char *down = resolve<char>(frame, operands[MoeDownRowOperand::down]);
  const int32_t *indices = resolve<int32_t>(frame, operands[MoeDownRowOperand::indices]);
  const float *weights = resolve<float>(frame, operands[MoeDownRowOperand::weights]);
  const char *h = resolve<char>(frame, operands[MoeDownRowOperand::x]);
  const float *h_scales =
      p.x.block ? resolve<float>(frame, operands[MoeDownRowOperand::x_scales]) : nullptr;
  const float *residual =
      p.has_residual ? resolve<float>(frame, operands[MoeDownRowOperand::residual]) : nullptr;
  float *result = resolve<float>(frame, operands[MoeDownRowOperand::result]);
  ExpertRows rows{h, p, LATHE_STACK_BYTES(ExpertRows::bytes(p))};
  rows.takeAll();
  auto finish = [&](int64_t tile, f32x16 sum) LATHE_BODY {
    int64_t column = tile * 16, here = smaller<int64_t>(16, p.weight.n - column);
    if (p.has_residual)
      sum += loadSome(residual + column, here);
    storeSome(result + column, sum, here);
  };
  for (int64_t i = begin; i < end;) {
    TileItem item = tileItem(i, end, p.weight.n, p.tiles_per_item);
    i = item.next;
    int64_t tile = item.begin;
    for (; tile + vector_tiles <= item.end; tile += vector_tiles) {
      f32x16 sums[vector_tiles] = {};
      downTiles<vector_tiles>(p, down, indices, weights, rows, h_scales, tile, sums);
      for (int t = 0; t < vector_tiles; ++t)
        finish(tile + t, sums[t]);
    }
    for (; tile < item.end; ++tile) {
      f32x16 sums[1] = {};
      downTiles<1>(p, down, indices, weights, rows, h_scales, tile, sums);
      finish(tile, sums[0]);
    }
  }
}
