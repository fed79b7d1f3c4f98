// Selection of the fused expert op. Prefill sorts tokens by expert; decode has one row and does
// not.
#include "backends/x86/kernels/moe.h"
#include "backends/x86/kernels/rows.h"
#include "backends/x86/scratch.h"
#include "backends/x86/select/choice.h"
#include "backends/x86/select/selector.h"

namespace lathe::x86 {
namespace {

using mlir::failure;
using mlir::FailureOr;
using mlir::LogicalResult;
using mlir::success;

class Experts {
public:
  Experts(Selector &selector, ir::FusedExpertsOp op)
      : s(selector), op(op), layout(expertScratch(op, selector.maxRows())),
        base(selector.scratch(op)) {}

  LogicalResult select();

private:
  LogicalResult findWeights();
  void route(const Place &rounded);
  Place routerLogits(const Place &input);
  Place enter(const Place &x, int64_t columns, int64_t factor, int64_t codes, int64_t scales);
  bool isNarrow() { return !s.isDecode() && op.getActivations() == ir::Activations::bf16; }
  Place innerRows();
  Place residual();
  XParams xParams(const Place &x);
  void prefill(const Place &x);
  void decode(const Place &x);
  int64_t at(int64_t offset) const { return base + offset; }
  double chosenShare() const { return double(layout.top_k) / layout.experts; }

  Selector &s;
  ir::FusedExpertsOp op;
  ExpertScratch layout;
  int64_t base;
  MatrixWeight router, gate, up, down;
  int64_t bias = no_operand;
};

LogicalResult Experts::findWeights() {
  FailureOr<MatrixWeight> found[] = {
      s.weights().matrix(op.getRouter()), s.weights().matrix(op.getGate()),
      s.weights().matrix(op.getUp()), s.weights().matrix(op.getDown())};
  for (const auto &weight : found)
    if (failed(weight))
      return failure();
  router = *found[0], gate = *found[1], up = *found[2], down = *found[3];
  if (layout.experts > max_experts)
    return op.emitOpError("has ") << layout.experts << " experts; the x86 router takes at most "
                                  << max_experts;
  if (!op.getBias())
    return success();
  FailureOr<int64_t> vector = s.weights().vector(op.getBias());
  if (failed(vector))
    return failure();
  bias = *vector;
  return success();
}

// Of one row: all threads read the router's weights.
Place Experts::routerLogits(const Place &input) {
  LinearParams params{router.params,
                      {Activations::f32, input.stride, 0, 0, RowsIn::f32},
                      RowSource::none,
                      1,
                      0,
                      0,
                      layout.experts,
                      /*batch=*/1,
                      0,
                      0,
                      tilesPerItem(router.params)};
  s.add(op, "linear", params,
        {input.operand, no_operand, router.operand, no_operand, no_operand, at(layout.logits)},
        linearItems(params));
  return {at(layout.logits), layout.experts};
}

// rounded: where it leaves the rows in bf16, or no place.
void Experts::route(const Place &rounded) {
  Place input = s.place(op.getInput());
  const bool from_logits = s.isDecode() && spreadsRouter(router.params);
  if (from_logits)
    input = routerLogits(input);
  ir::RoutingAttr routing = op.getRouting();
  RowSplit split = s.split(op.getInput(), layout.hidden);
  split.rows_per_item = routeRowsPerItem(layout.experts);
  MoeRouteParams params{
      split,
      router.params,
      from_logits,
      rounded.operand != no_operand,
      input.stride,
      op.getBias() != nullptr,
      routing.getScore() == ir::RouteScore::sigmoid ? RouteScore::sigmoid : RouteScore::softmax,
      layout.top_k,
      routing.getNGroup(),
      routing.getTopkGroup(),
      routing.getGroupScore() == ir::GroupScore::max ? GroupScore::max : GroupScore::top2_sum,
      routing.getRenormalize(),
      floatBits(routing.getScale().getValue().convertToFloat())};
  s.add(op, "moe_route", params,
        {input.operand, from_logits ? no_operand : router.operand, bias, at(layout.indices),
         at(layout.weights), rounded.operand},
        moeRouteItems(params));
}

// Rows in the form in which products take them: as they are, rounded, or quantised.
Place Experts::enter(const Place &x, int64_t columns, int64_t factor, int64_t codes,
                     int64_t scales) {
  RowSplit split{factor == 1 ? s.rowSource() : RowSource::rows, factor, rowsPerItem(columns)};
  if (x.rows_in != RowsIn::f32)
    return x;
  switch (op.getActivations()) {
  case ir::Activations::f32: return x;
  case ir::Activations::bf16: {
    CastParams params{split, columns, Format::bf16, x.stride, columns, RowsIn::f32};
    s.add(op, "cast", params, {x.operand, at(codes)}, castItems(params));
    return {at(codes), columns};
  }
  case ir::Activations::w8a8:
  case ir::Activations::w8a8_ue8m0:
  case ir::Activations::w8a8_i8: break;
  }
  const bool integers = op.getActivations() == ir::Activations::w8a8_i8;
  const int64_t blocks = ceilDiv(columns, layout.block);
  Place result{at(codes), columns, at(scales), blocks, s.codesIn(integers)};
  QuantizeParams params{
      split,          columns,      integers ? Format::i8 : Format::e4m3,
      result.rows_in, layout.block, op.getActivations() == ir::Activations::w8a8_ue8m0,
      x.stride,       columns,      blocks};
  s.add(op, "quantize", params, {x.operand, result.operand, result.scales}, quantizeItems(params));
  return result;
}

XParams Experts::xParams(const Place &x) {
  if (x.scales != no_operand)
    return {Activations::w8a8, x.stride, layout.block, x.scale_stride, x.rows_in};
  bool rounded = op.getActivations() == ir::Activations::bf16;
  return {rounded ? Activations::bf16 : Activations::f32, x.stride, 0, 0, x.rows_in};
}

Place Experts::residual() {
  mlir::Value added = addedWhereMade(op.getResult());
  return added ? s.place(added) : Place{};
}

// What the experts' first half leaves: a prefill step rounds it at once, where it is rounded at
// all.
Place Experts::innerRows() {
  if (!isNarrow())
    return {at(layout.h), layout.inner};
  return s.narrowRows(at(layout.h_codes), s.maxRows() * layout.top_k, layout.inner);
}

void Experts::prefill(const Place &x) {
  MoeSortParams sort{layout.experts, layout.top_k};
  s.add(op, "moe_sort", sort,
        {at(layout.indices), at(layout.order), at(layout.position), at(layout.offsets)},
        moeSortItems(sort))
      .serial = true;
  Place inner = innerRows();
  MoeGateUpParams gateUp{gate.params,  xParams(x),    layout.experts,           layout.top_k,
                         inner.stride, inner.rows_in, tilesPerItem(gate.params)};
  s.add(op, "moe_gate_up", gateUp,
        {x.operand, x.scales, at(layout.order), at(layout.offsets), gate.operand, up.operand,
         inner.operand},
        moeGateUpItems(gateUp));
  Place h = enter(inner, layout.inner, layout.top_k, layout.h_codes, layout.h_scales);
  MoeDownParams downParams{down.params, xParams(h), layout.experts, layout.hidden,
                           tilesPerItem(down.params)};
  s.add(op, "moe_down", downParams,
        {h.operand, h.scales, at(layout.offsets), down.operand, at(layout.rows)},
        moeDownItems(downParams));
  Place result = s.place(op.getResult()), added = residual();
  MoeCombineParams combine{s.split(op.getResult(), layout.hidden),
                           layout.hidden,
                           layout.top_k,
                           layout.hidden,
                           added.operand != no_operand,
                           added.stride,
                           result.stride};
  s.add(op, "moe_combine", combine,
        {at(layout.rows), at(layout.position), at(layout.weights), added.operand, result.operand},
        moeCombineItems(combine));
}

void Experts::decode(const Place &x) {
  MoeGateUpRowParams gateUp{gate.params, xParams(x), layout.top_k, layout.inner,
                            tilesPerItem(gate.params)};
  s.add(op, "moe_gate_up_row", gateUp,
        {x.operand, x.scales, at(layout.indices), gate.operand, up.operand, at(layout.h)},
        moeGateUpRowItems(gateUp))
      .weight_share = chosenShare();
  Place h = enter({at(layout.h), layout.inner}, layout.inner, layout.top_k, layout.h_codes,
                  layout.h_scales);
  Place added = residual();
  MoeDownRowParams downParams{down.params, xParams(h), layout.top_k, added.operand != no_operand,
                              tilesPerItem(down.params)};
  s.add(op, "moe_down_row", downParams,
        {h.operand, h.scales, at(layout.indices), at(layout.weights), down.operand, added.operand,
         s.place(op.getResult()).operand},
        moeDownRowItems(downParams))
      .weight_share = chosenShare();
}

LogicalResult Experts::select() {
  if (failed(findWeights()))
    return failure();
  Place x; // rows as the experts take them: no steps, since they are gathered
  if (isNarrow())
    x = {at(layout.x_codes), layout.hidden, no_operand, 0, RowsIn::bf16};
  route(x);
  if (!isNarrow())
    x = enter(s.place(op.getInput()), layout.hidden, 1, layout.x_codes, layout.x_scales);
  s.isDecode() ? decode(x) : prefill(x);
  return success();
}

} // namespace

LogicalResult selectOp(Selector &selector, ir::FusedExpertsOp op) {
  return Experts(selector, op).select();
}

} // namespace lathe::x86
