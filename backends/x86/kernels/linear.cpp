#include "backends/x86/kernels/linear.h"

#include "backends/x86/kernels/function.h"
#include "backends/x86/kernels/product.h"
#include "backends/x86/kernels/stored_rows.h"

using namespace lathe::x86;

LATHE_X86_DEFINE(linear)
(const Frame *frame, const int64_t *operands, const LinearParams *params, int64_t begin,
 int64_t end) {
  const LinearParams &p = *params;
  const WeightParams &w = p.weight;
  int64_t count = rowCount(*frame, p.row_source) * (p.row_source ? p.row_factor : 1);
  const char *weight = resolve<char>(frame, operands[LinearOperand::weight]);
  const char *x = resolve<char>(frame, operands[LinearOperand::x]);
  float *result = resolve<float>(frame, operands[LinearOperand::result]);
  const float *x_scales =
      p.x.block ? resolve<float>(frame, operands[LinearOperand::x_scales]) : nullptr;
  const float *bias = p.has_bias ? resolve<float>(frame, operands[LinearOperand::bias]) : nullptr;
  const float *residual =
      p.has_residual ? resolve<float>(frame, operands[LinearOperand::residual]) : nullptr;
  for (int64_t i = begin; i < end;) {
    TileItem item = tileItem(i, end, w.n, p.tiles_per_item);
    i = item.next;
    const char *stack = weight + item.outer * w.matrix_bytes;
    XRows rows = {x + columnBytes(p.x.rows_in, p.x.stride, item.outer * p.x_batch_stride), x_scales,
                  nullptr, 1};
    auto finish = [&](int64_t row, int64_t tile, const f32x16 *totals) LATHE_BODY {
      int64_t column = tile * 16, lanes_here = smaller<int64_t>(16, w.n - column);
      int64_t place = row * p.result_stride + item.outer * p.result_batch_stride + column;
      f32x16 value = totals[0];
      if (p.has_bias)
        value += loadSome(bias + item.outer * w.n + column, lanes_here);
      if (p.has_residual)
        value += loadSome(residual + place, lanes_here);
      storeSome(result + place, value, lanes_here);
    };
    product<1>(rows, p.row_source, count, &stack, item.begin, item.end, w, p.x, finish);
  }
}

LATHE_X86_DEFINE(gated_linear)
(const Frame *frame, const int64_t *operands, const GatedLinearParams *params, int64_t begin,
 int64_t end) {
  const GatedLinearParams &p = *params;
  const WeightParams &w = p.weight;
  const char *stacks[2] = {resolve<char>(frame, operands[GatedLinearOperand::gate]),
                           resolve<char>(frame, operands[GatedLinearOperand::up])};
  XRows rows = {resolve<char>(frame, operands[GatedLinearOperand::x]),
                p.x.block ? resolve<float>(frame, operands[GatedLinearOperand::x_scales]) : nullptr,
                nullptr, 1};
  StoredRows result = {resolve<char>(frame, operands[GatedLinearOperand::result]), p.result_in,
                       p.result_stride, w.n};
  const float *gate_bias =
      p.has_bias ? resolve<float>(frame, operands[GatedLinearOperand::gate_bias]) : nullptr;
  const float *up_bias =
      p.has_bias ? resolve<float>(frame, operands[GatedLinearOperand::up_bias]) : nullptr;
  for (int64_t i = begin; i < end;) {
    TileItem item = tileItem(i, end, w.n, p.tiles_per_item);
    i = item.next;
    auto finish = [&](int64_t row, int64_t tile, const f32x16 *totals) LATHE_BODY {
      int64_t column = tile * 16, lanes_here = smaller<int64_t>(16, w.n - column);
      f32x16 gate = totals[0], up = totals[1];
      if (p.has_bias) {
        gate += loadSome(gate_bias + column, lanes_here);
        up += loadSome(up_bias + column, lanes_here);
      }
      result.store16At(row, column, gated(gate, up));
    };
    product<2>(rows, p.row_source, rowCount(*frame, p.row_source), stacks, item.begin, item.end, w,
               p.x, finish);
  }
}
