// From ops to the functions that define them: reads operands and attributes, checks what only run
// time can know (indices in range, rows that agree), calls.
#include "llvm/ADT/TypeSwitch.h"

#include "backends/reference/attention.h"
#include "backends/reference/basic.h"
#include "backends/reference/interpreter.h"
#include "backends/reference/linear.h"
#include "backends/reference/mla.h"
#include "backends/reference/moe.h"
#include "backends/reference/quantization.h"
#include "backends/reference/tile.h"

namespace lathe::reference {

namespace {

using mlir::failed;
using mlir::failure;
using mlir::FailureOr;
using Operands = llvm::ArrayRef<Value>;
using Result = FailureOr<Values>;

const Tensor &tensor(const Value &value) { return *as<Tensor>(value); }
const Indices &indices(const Value &value) { return *as<Indices>(value); }

// Optional operands that are absent come as a monostate.
const Tensor *optional(const Value &value) { return as<Tensor>(value); }

Matrix matrix(const Value &value) {
  if (const Codes *codes = as<Codes>(value))
    return codes;
  return &tensor(value);
}

Result one(Tensor result) { return Values{share(std::move(result))}; }

mlir::LogicalResult inRange(mlir::Operation *op, const Indices &values, int64_t limit,
                            llvm::StringRef what) {
  for (int32_t value : values.values)
    if (value < 0 || value >= limit)
      return op->emitOpError() << what << " is " << value << "; it should be from 0 to "
                               << limit - 1;
  return mlir::success();
}

int64_t rowsOf(const Value &value) {
  if (const Indices *held = as<Indices>(value))
    return held->shape[0];
  if (const Codes *held = as<Codes>(value))
    return held->shape[0];
  return tensor(value).shape[0];
}

mlir::LogicalResult sameRows(mlir::Operation *op, std::initializer_list<Value> values) {
  const int64_t rows = rowsOf(*values.begin());
  for (const Value &value : values)
    if (rowsOf(value) != rows)
      return op->emitOpError("operands have ")
             << rows << " and " << rowsOf(value) << " rows; they should have one number of rows";
  return mlir::success();
}

//===--- basic ---===//

Result run(ir::EmbeddingOp op, ir::EmbeddingOpGenericAdaptor<Operands> in) {
  const int64_t rows = ir::shapeOf(op.getTable().getType()).front();
  if (failed(inRange(op, indices(in.getTokens()), rows, "a token")))
    return failure();
  if (const Codes *codes = as<Codes>(in.getTable()))
    return one(embedding(indices(in.getTokens()), dequantize(*codes)));
  return one(embedding(indices(in.getTokens()), tensor(in.getTable())));
}

Result run(ir::SelectRowsOp op, ir::SelectRowsOpGenericAdaptor<Operands> in) {
  if (failed(inRange(op, indices(in.getRows()), tensor(in.getInput()).rows(), "a row")))
    return failure();
  return one(embedding(indices(in.getRows()), tensor(in.getInput())));
}

Result run(ir::SliceOp op, ir::SliceOpGenericAdaptor<Operands> in) {
  return one(slice(tensor(in.getInput()), op.getOffset(), ir::shapeOf(op.getType())[1]));
}

Result run(ir::ConcatOp op, ir::ConcatOpGenericAdaptor<Operands> in) {
  std::vector<const Tensor *> inputs;
  for (const Value &input : in.getInputs()) {
    if (failed(sameRows(op, {in.getInputs()[0], input})))
      return failure();
    inputs.push_back(&tensor(input));
  }
  return one(concat(inputs));
}

Result run(ir::AddOp op, ir::AddOpGenericAdaptor<Operands> in) {
  if (failed(sameRows(op, {in.getLhs(), in.getRhs()})))
    return failure();
  return one(add(tensor(in.getLhs()), tensor(in.getRhs())));
}

Result run(ir::ScaleOp op, ir::ScaleOpGenericAdaptor<Operands> in) {
  return one(scale(tensor(in.getInput()), op.getFactor().convertToFloat()));
}

Result run(ir::SwigluOp op, ir::SwigluOpGenericAdaptor<Operands> in) {
  if (failed(sameRows(op, {in.getGate(), in.getUp()})))
    return failure();
  return one(swiglu(tensor(in.getGate()), tensor(in.getUp())));
}

Result run(ir::RmsNormOp op, ir::RmsNormOpGenericAdaptor<Operands> in) {
  return one(
      rmsNorm(tensor(in.getInput()), tensor(in.getScale()), op.getEpsilon().convertToFloat()));
}

Result run(ir::RopeTableOp op, ir::RopeTableOpGenericAdaptor<Operands> in) {
  return one(ropeTable(indices(in.getPositions()), op.getFrequencies().vec(),
                       op.getMagnitude().convertToFloat()));
}

Result run(ir::RopeOp op, ir::RopeOpGenericAdaptor<Operands> in) {
  if (failed(sameRows(op, {in.getInput(), in.getTable()})))
    return failure();
  const PairLayout layout =
      op.getLayout() == ir::RopeLayout::half ? PairLayout::half : PairLayout::pairs;
  return one(
      rope(tensor(in.getInput()), tensor(in.getTable()), op.getHeadDim(), op.getOffset(), layout));
}

//===--- quantization and products ---===//

Result run(ir::CastOp op, ir::CastOpGenericAdaptor<Operands> in) {
  return one(cast(tensor(in.getInput()), elementOf(op.getType().getElementType())));
}

Result run(ir::QuantizeOp op, ir::QuantizeOpGenericAdaptor<Operands> in) {
  auto type = mlir::cast<ir::QuantizedType>(op.getType());
  return Values{share(quantize(tensor(in.getInput()), codeKindOf(type.getElementType()),
                               type.getBlockColumns(),
                               mlir::isa<mlir::Float8E8M0FNUType>(type.getScaleType())))};
}

Result run(ir::DequantizeOp op, ir::DequantizeOpGenericAdaptor<Operands> in) {
  return one(dequantize(*as<Codes>(in.getInput()), elementOf(op.getType().getElementType())));
}

Result run(ir::LinearOp op, ir::LinearOpGenericAdaptor<Operands> in) {
  return one(linear(matrix(in.getX()), matrix(in.getWeight()), optional(in.getBias())));
}

Result run(ir::ScaledMatmulOp op, ir::ScaledMatmulOpGenericAdaptor<Operands> in) {
  return one(linear(matrix(in.getX()), matrix(in.getWeight()), optional(in.getBias())));
}

Result run(ir::FusedLinearOp op, ir::FusedLinearOpGenericAdaptor<Operands> in) {
  Values results;
  const Operands weights = in.getWeights(), biases = in.getBiases();
  for (size_t i = 0; i < weights.size(); ++i)
    results.push_back(share(linear(matrix(in.getX()), matrix(weights[i]),
                                   biases.empty() ? nullptr : optional(biases[i]))));
  return results;
}

Result run(ir::GatedLinearOp op, ir::GatedLinearOpGenericAdaptor<Operands> in) {
  return one(gatedLinear(matrix(in.getX()), matrix(in.getGate()), matrix(in.getUp()),
                         optional(in.getGateBias()), optional(in.getUpBias())));
}

//===--- attention ---===//

// What a step's rows say about where they stand.
mlir::LogicalResult placesFit(mlir::Operation *op, const Value &slots, const Value &positions,
                              int64_t num_slots, int64_t max_context) {
  return mlir::success(mlir::succeeded(inRange(op, indices(slots), num_slots, "a slot")) &&
                       mlir::succeeded(inRange(op, indices(positions), max_context, "a position")));
}

Result run(ir::AttentionOp op, ir::AttentionOpGenericAdaptor<Operands> in) {
  KvCache cache = *as<KvCache>(in.getCache());
  if (failed(sameRows(
          op, {in.getQuery(), in.getKey(), in.getValue(), in.getSlots(), in.getPositions()})) ||
      failed(placesFit(op, in.getSlots(), in.getPositions(), cache.keys.slots.size(),
                       cache.max_context)))
    return failure();
  std::optional<int64_t> window;
  if (op.getWindow())
    window = *op.getWindow();
  Tensor result = attention(tensor(in.getQuery()), tensor(in.getKey()), tensor(in.getValue()),
                            indices(in.getSlots()), indices(in.getPositions()), cache,
                            op.getNumHeads(), op.getSoftmaxScale().convertToFloat(), window);
  return Values{share(std::move(result)), share(std::move(cache))};
}

template <typename Op> MlaShape mlaShape(Op op) {
  return {static_cast<int64_t>(op.getNumHeads()), static_cast<int64_t>(op.getQkNopeHeadDim()),
          static_cast<int64_t>(op.getQkRopeHeadDim()), static_cast<int64_t>(op.getVHeadDim())};
}

// `kv_b` as floats, whatever it is stored as.
Tensor floats(const Value &value) {
  const Codes *codes = as<Codes>(value);
  return codes ? dequantize(*codes) : tensor(value);
}

Result run(ir::MlaAttentionOp op, ir::MlaAttentionOpGenericAdaptor<Operands> in) {
  LatentCache cache = *as<LatentCache>(in.getCache());
  if (failed(sameRows(op, {in.getQuery(), in.getLatent(), in.getSlots(), in.getPositions()})) ||
      failed(placesFit(op, in.getSlots(), in.getPositions(), cache.latents.slots.size(),
                       cache.max_context)))
    return failure();
  std::optional<Tensor> kv_b;
  if (op.getKvB())
    kv_b = floats(in.getKvB());
  Tensor result =
      mlaAttention(tensor(in.getQuery()), tensor(in.getLatent()), indices(in.getSlots()),
                   indices(in.getPositions()), cache, kv_b ? &*kv_b : nullptr, mlaShape(op),
                   op.getSoftmaxScale().convertToFloat());
  return Values{share(std::move(result)), share(std::move(cache))};
}

Result run(ir::AbsorbQueryOp op, ir::AbsorbQueryOpGenericAdaptor<Operands> in) {
  return one(absorbQuery(tensor(in.getInput()), floats(in.getKvB()), mlaShape(op)));
}

Result run(ir::ExpandValueOp op, ir::ExpandValueOpGenericAdaptor<Operands> in) {
  return one(expandValue(tensor(in.getInput()), floats(in.getKvB()), mlaShape(op)));
}

//===--- experts ---===//

Routing routing(ir::RoutingAttr attribute) {
  Routing result;
  result.score = attribute.getScore() == ir::RouteScore::softmax ? Routing::Score::softmax
                                                                 : Routing::Score::sigmoid;
  result.group_score = attribute.getGroupScore() == ir::GroupScore::max
                           ? Routing::GroupScore::max
                           : Routing::GroupScore::top2_sum;
  result.top_k = attribute.getTopK();
  result.n_group = attribute.getNGroup();
  result.topk_group = attribute.getTopkGroup();
  result.renormalize = attribute.getRenormalize();
  result.scale = attribute.getScale().getValue().convertToFloat();
  return result;
}

Activations activations(ir::Activations value) {
  switch (value) {
  case ir::Activations::f32: return Activations::f32;
  case ir::Activations::bf16: return Activations::bf16;
  case ir::Activations::w8a8: return Activations::w8a8;
  case ir::Activations::w8a8_ue8m0: return Activations::w8a8_ue8m0;
  case ir::Activations::w8a8_i8: return Activations::w8a8_i8;
  }
  llvm_unreachable("an activations value without a meaning");
}

Result run(ir::MoeRouteOp op, ir::MoeRouteOpGenericAdaptor<Operands> in) {
  Routed routed =
      moeRoute(tensor(in.getLogits()), optional(in.getBias()), routing(op.getRouting()));
  return Values{share(std::move(routed.indices)), share(std::move(routed.weights))};
}

Result run(ir::MoeDispatchOp op, ir::MoeDispatchOpGenericAdaptor<Operands> in) {
  const int64_t num_experts = ir::shapeOf(op.getOffsets().getType())[0] - 1;
  if (failed(sameRows(op, {in.getInput(), in.getIndices()})) ||
      failed(inRange(op, indices(in.getIndices()), num_experts, "an expert")))
    return failure();
  Dispatched result = moeDispatch(tensor(in.getInput()), indices(in.getIndices()), num_experts);
  return Values{share(std::move(result.rows)), share(std::move(result.order)),
                share(std::move(result.offsets))};
}

Result run(ir::ExpertFfnOp op, ir::ExpertFfnOpGenericAdaptor<Operands> in) {
  const Indices &offsets = indices(in.getOffsets());
  const int64_t rows = tensor(in.getRows()).rows();
  if (!std::is_sorted(offsets.values.begin(), offsets.values.end()) ||
      offsets.values.front() != 0 || offsets.values.back() != rows)
    return op.emitOpError("offsets should rise from 0 to the number of rows, which is ") << rows;
  const Experts experts{matrix(in.getGate()), matrix(in.getUp()), matrix(in.getDown())};
  return one(expertFfn(tensor(in.getRows()), offsets, experts, activations(op.getActivations())));
}

Result run(ir::MoeCombineOp op, ir::MoeCombineOpGenericAdaptor<Operands> in) {
  std::vector<int32_t> order = indices(in.getOrder()).values;
  const Tensor &weights = tensor(in.getWeights());
  std::sort(order.begin(), order.end());
  bool permutes = static_cast<int64_t>(order.size()) == weights.rows() * weights.columns();
  for (size_t i = 0; i < order.size(); ++i)
    permutes &= order[i] == static_cast<int32_t>(i);
  if (!permutes || failed(sameRows(op, {in.getRows(), in.getOrder()})))
    return op.emitOpError("order should name each of ")
           << weights.rows() * weights.columns() << " pairs once, one a row";
  return one(moeCombine(tensor(in.getRows()), indices(in.getOrder()), weights));
}

Result run(ir::FusedExpertsOp op, ir::FusedExpertsOpGenericAdaptor<Operands> in) {
  const Experts experts{matrix(in.getGate()), matrix(in.getUp()), matrix(in.getDown())};
  return one(fusedExperts(tensor(in.getInput()), tensor(in.getRouter()), experts,
                          optional(in.getBias()), routing(op.getRouting()),
                          activations(op.getActivations())));
}

template <typename Op> Result runAs(Op op, Operands operands) {
  return run(op, typename Op::template GenericAdaptor<Operands>(operands, op));
}

} // namespace

FailureOr<Values> evaluate(mlir::Operation *op, llvm::ArrayRef<Value> operands) {
  return llvm::TypeSwitch<mlir::Operation *, Result>(op)
      .Case<ir::EmbeddingOp, ir::SelectRowsOp, ir::SliceOp, ir::ConcatOp, ir::AddOp, ir::ScaleOp,
            ir::SwigluOp, ir::RmsNormOp, ir::RopeTableOp, ir::RopeOp, ir::CastOp, ir::QuantizeOp,
            ir::DequantizeOp, ir::LinearOp, ir::ScaledMatmulOp, ir::FusedLinearOp,
            ir::GatedLinearOp, ir::AttentionOp, ir::MlaAttentionOp, ir::AbsorbQueryOp,
            ir::ExpandValueOp, ir::MoeRouteOp, ir::MoeDispatchOp, ir::ExpertFfnOp, ir::MoeCombineOp,
            ir::FusedExpertsOp>([&](auto typed) { return runAs(typed, operands); })
      .Case([&](tile::LaunchOp launch) { return evaluateLaunch(launch, operands); })
      .Default([](mlir::Operation *other) -> Result {
        return other->emitOpError("has no meaning in the reference interpreter");
      });
}

} // namespace lathe::reference
