#include "models/blocks/feed_forward.h"

#include "base/status.h"
#include "models/blocks/basic.h"

namespace lathe::models {

namespace {

ir::RoutingAttr routing(Step &step, const Moe &moe) {
  const ir::RouteScore score =
      moe.score == Moe::Score::sigmoid ? ir::RouteScore::sigmoid : ir::RouteScore::softmax;
  const ir::GroupScore group =
      moe.group_score == Moe::GroupScore::top2_sum ? ir::GroupScore::top2_sum : ir::GroupScore::max;
  return ir::RoutingAttr::get(step.builder().getContext(), score, moe.top_k, moe.n_group,
                              moe.topk_group, group, moe.renormalize, step.f32(moe.scale));
}

absl::StatusOr<ir::MoeRouteOp> route(Step &step, mlir::Value x, const Moe &moe) {
  const auto place = step.enter("gate");
  LATHE_ASSIGN_OR_RETURN(
      const mlir::Value router,
      step.weight(step.weights().floats(step.nameOf("weight"), {moe.num_experts, columnsOf(x)})));
  mlir::Value bias;
  if (moe.selection_bias) {
    LATHE_ASSIGN_OR_RETURN(bias, step.weight(step.weights().floats(
                                     step.nameOf("e_score_correction_bias"), {moe.num_experts})));
  }
  const mlir::Value logits =
      step.create<ir::LinearOp>(step.rows(moe.num_experts), x, router, mlir::Value());
  return step.create<ir::MoeRouteOp>(step.indices(moe.top_k), step.rows(moe.top_k), logits, bias,
                                     routing(step, moe));
}

absl::StatusOr<mlir::Value> expertWeights(Step &step, absl::string_view projection, const Moe &moe,
                                          int64_t out, int64_t in) {
  return step.weight(
      step.weights().experts(step.nameOf("experts"), projection, moe.num_experts, out, in));
}

// The rows of each expert, in the order of `dispatch`, through that expert.
absl::StatusOr<mlir::Value> experts(Step &step, ir::MoeDispatchOp dispatch, const Moe &moe) {
  const int64_t hidden = columnsOf(dispatch.getRows()), inner = moe.intermediate_size;
  LATHE_ASSIGN_OR_RETURN(const mlir::Value gate,
                         expertWeights(step, "gate_proj", moe, inner, hidden));
  LATHE_ASSIGN_OR_RETURN(const mlir::Value up, expertWeights(step, "up_proj", moe, inner, hidden));
  LATHE_ASSIGN_OR_RETURN(const mlir::Value down,
                         expertWeights(step, "down_proj", moe, hidden, inner));
  if (gate.getType() != up.getType())
    return absl::InvalidArgumentError(absl::StrCat(
        step.weights().checkpoint().folder(), ": ", step.nameOf("experts"),
        ": gate_proj and up_proj are stored in two ways; they should have one type and "
        "one kind of scale"));
  return mlir::Value(step.create<ir::ExpertFfnOp>(dispatch.getRows().getType(), dispatch.getRows(),
                                                  dispatch.getOffsets(), gate, up, down,
                                                  ir::Activations::f32));
}

ir::MoeDispatchOp dispatch(Step &step, mlir::Value x, mlir::Value indices, int64_t num_experts) {
  const mlir::Type i32 = step.builder().getI32Type();
  return step.create<ir::MoeDispatchOp>(
      x.getType(), mlir::RankedTensorType::get({mlir::ShapedType::kDynamic}, i32),
      mlir::RankedTensorType::get({num_experts + 1}, i32), x, indices);
}

} // namespace

absl::StatusOr<mlir::Value> feedForward(Step &step, mlir::Value x, const Mlp &mlp) {
  LATHE_ASSIGN_OR_RETURN(const mlir::Value gate,
                         linear(step, x, "gate_proj", mlp.intermediate_size, mlp.bias));
  LATHE_ASSIGN_OR_RETURN(const mlir::Value up,
                         linear(step, x, "up_proj", mlp.intermediate_size, mlp.bias));
  const mlir::Value inner = step.create<ir::SwigluOp>(gate.getType(), gate, up);
  return linear(step, inner, "down_proj", columnsOf(x), mlp.bias);
}

absl::StatusOr<mlir::Value> feedForward(Step &step, mlir::Value x, const Moe &moe) {
  LATHE_ASSIGN_OR_RETURN(ir::MoeRouteOp choice, route(step, x, moe));
  ir::MoeDispatchOp sorted = dispatch(step, x, choice.getIndices(), moe.num_experts);
  LATHE_ASSIGN_OR_RETURN(const mlir::Value outputs, experts(step, sorted, moe));
  const mlir::Value routed =
      step.create<ir::MoeCombineOp>(x.getType(), outputs, sorted.getOrder(), choice.getWeights());
  if (moe.shared_size == 0)
    return routed;
  const auto place = step.enter("shared_experts");
  LATHE_ASSIGN_OR_RETURN(const mlir::Value shared, feedForward(step, x, Mlp{moe.shared_size}));
  return mlir::Value(step.create<ir::AddOp>(x.getType(), routed, shared));
}

} // namespace lathe::models
