// Routed experts: the op that does all of it, and its steps.
#include "codegen/generator.h"

namespace npu::codegen {

using kernels::MapOp;

namespace {

struct Routed {
  Matrix indices, weights;
};

struct Dispatched {
  Matrix order, tokens, offsets; // i32; of pairs, of pairs, [E + 1]
};

Count pairs_of(Count rows, uint64_t top_k) { return {rows.extent, rows.factor * top_k}; }

kernels::RoutePlan route_plan(const Op &op, uint64_t experts, bool bias) {
  return {.experts = experts,
          .top_k = static_cast<uint64_t>(op.integer("routing.top_k")),
          .n_group = static_cast<uint64_t>(op.integer("routing.n_group", 1)),
          .topk_group = static_cast<uint64_t>(op.integer("routing.topk_group", 1)),
          .sigmoid = op.word("routing.score") == "sigmoid",
          .top2_sum = op.word("routing.group_score") == "top2_sum",
          .renormalize = op.integer("routing.renormalize") != 0,
          .bias = bias,
          .scale = static_cast<float>(op.real("routing.scale", 1))};
}

Status emit_route(Generator &g, const Op &op, const Matrix &logits, const Routed &to) {
  const Part *bias = op.operand("bias");
  kernels::RoutePlan plan = route_plan(op, logits.cols, bias);
  if (!plan.top_k || plan.top_k > plan.experts || !plan.n_group || plan.experts % plan.n_group ||
      plan.topk_group > plan.n_group)
    return error("routing of ", plan.experts, " experts to ", plan.top_k, " in ", plan.n_group,
                 " groups makes no sense");
  std::vector<Source> args{logits.at};
  if (bias) {
    NPU_ASSIGN_OR_RETURN(Weight terms, g.weight(*bias));
    args.push_back(g.rows_of(terms));
  }
  args.insert(args.end(), {to.indices.at, to.weights.at, number(logits.rows)});
  std::string key =
      text("route ", plan.experts, " ", plan.top_k, " ", plan.n_group, " ", plan.topk_group,
           plan.sigmoid, plan.top2_sum, plan.renormalize, plan.bias, " ", plan.scale);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return route(g.device, plan); }));
  uint64_t rows = g.most(logits.rows);
  g.launch(kernel, text("route ", plan.top_k, " of ", plan.experts), logits.rows, std::move(args),
           {kernels::vector_kind(g.device), rows, 4.0 * rows * plan.experts});
  return {};
}

Status emit_dispatch(Generator &g, const Matrix &indices, const Dispatched &to, uint64_t experts) {
  kernels::DispatchPlan plan{experts, indices.cols, g.most(indices.rows)};
  std::string key = text("dispatch ", experts, " ", plan.top_k, " ", plan.max_rows);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return dispatch(g.device, plan); }));
  g.launch(kernel, text("dispatch to ", experts), indices.rows,
           {indices.at, to.order.at, to.tokens.at, to.offsets.at, number(indices.rows)},
           {kernels::vector_kind(g.device), 1, 16.0 * plan.max_rows * plan.top_k});
  return {};
}

Status emit_combine(Generator &g, const Matrix &rows, const Matrix &order, const Matrix &weights,
                    const Matrix &out) {
  kernels::CombinePlan plan{rows.cols, weights.cols, g.most(weights.rows), rows.ld, out.ld};
  std::string key =
      text("combine ", plan.cols, " ", plan.top_k, " ", plan.max_rows, " ", rows.ld, " ", out.ld);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return combine(g.device, plan); }));
  g.launch(kernel, text("combine ", plan.cols), weights.rows,
           {rows.at, order.at, weights.at, out.at, number(weights.rows)},
           {kernels::vector_kind(g.device), plan.max_rows,
            4.0 * plan.max_rows * plan.cols * (plan.top_k + 1)});
  return {};
}

// Rows as `activations` says that products take them. Of bf16 one part is enough, in any type.
Result<Matrix> entering(Generator &g, const Op &op, const Matrix &rows) {
  std::string_view activations = op.word("activations");
  if (activations == "f32")
    return rows;
  if (activations == "bf16" && g.cube_has(DType::Bf16) && g.casts(DType::F32, DType::Bf16))
    return g.as(rows, DType::Bf16);
  if (activations == "bf16")
    return g.as_if_bf16(rows);
  NPU_RETURN_IF_ERROR(
      g.refuse(LATHE_REASON_UNSUPPORTED_TYPE,
               text("activations are ", activations, "; ", g.device.name, " takes f32 and bf16")));
  return rows;
}

Status emit_find_active(Generator &g, const Source &offsets, const Source &active, uint64_t experts,
                        Count rows) {
  auto make = [&] { return kernels::find_active(g.device, experts); };
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(text("find_active ", experts), make));
  g.launch(kernel, text("find_active ", experts), rows, {offsets, active},
           {kernels::vector_kind(g.device), 1, 8.0 * experts});
  return {};
}

// The gated MLP of each expert on its own rows.
Status emit_experts(Generator &g, const Op &op, const Matrix &rows, const Source &offsets,
                    const Matrix &result) {
  NPU_ASSIGN_OR_RETURN(Weight gate, g.weight(op.part("gate")));
  NPU_ASSIGN_OR_RETURN(Weight up, g.weight(op.part("up")));
  NPU_ASSIGN_OR_RETURN(Weight down, g.weight(op.part("down")));
  uint64_t inner = gate.rows();
  Matrix active = g.scratch(DType::I32, {Count::Constant, gate.type.matrices + 1}, 1);
  NPU_RETURN_IF_ERROR(emit_find_active(g, offsets, active.at, gate.type.matrices, rows.rows));
  bool rounds = op.word("activations") != "f32";
  auto one = [&](const Matrix &given, const Weight &weight, const Matrix &c,
                 bool rounded_next) -> Status {
    NPU_ASSIGN_OR_RETURN(Matrix a, entering(g, op, given));
    return emit_product(g, {.a = a,
                            .c = c,
                            .weight = weight,
                            .n = weight.rows(),
                            .k = weight.type.cols,
                            .step = weight.rows(),
                            .offsets = offsets,
                            .active = active.at,
                            .rounded_next = rounded_next,
                            .label = "experts"});
  };
  Matrix gated = g.scratch(DType::F32, rows.rows, inner);
  Matrix upper = g.scratch(DType::F32, rows.rows, inner);
  NPU_RETURN_IF_ERROR(one(rows, gate, gated, rounds));
  NPU_RETURN_IF_ERROR(one(rows, up, upper, rounds));
  Matrix activated = g.scratch(DType::F32, rows.rows, inner);
  NPU_RETURN_IF_ERROR(emit_map(g, MapOp::Swiglu, {gated, upper}, activated));
  return one(activated, down, result, false);
}

Dispatched scratch_for(Generator &g, Count rows, uint64_t top_k, uint64_t experts) {
  Count pairs = pairs_of(rows, top_k);
  return {g.scratch(DType::I32, pairs, 1), g.scratch(DType::I32, pairs, 1),
          g.scratch(DType::I32, {Count::Constant, experts + 1}, 1)};
}

// Routing decides by small differences.
Status emit_router(Generator &g, const Op &op, const Matrix &x, const Matrix &logits) {
  NPU_ASSIGN_OR_RETURN(Weight router, g.weight(op.part("router")));
  return emit_product(g, {.a = x,
                          .c = logits,
                          .weight = router,
                          .n = router.rows(),
                          .k = router.type.cols,
                          .offsets = {},
                          .active = {},
                          .precise = true,
                          .label = "router"});
}

Status lower_fused_experts(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Matrix x, g.matrix(op.part("input")));
  uint64_t experts = op.part("gate").type.matrices;
  uint64_t top_k = static_cast<uint64_t>(op.integer("routing.top_k"));
  Matrix logits = g.scratch(DType::F32, x.rows, experts);
  NPU_RETURN_IF_ERROR(emit_router(g, op, x, logits));
  Routed routed{g.scratch(DType::I32, x.rows, top_k), g.scratch(DType::F32, x.rows, top_k)};
  NPU_RETURN_IF_ERROR(emit_route(g, op, logits, routed));
  Dispatched to = scratch_for(g, x.rows, top_k, experts);
  NPU_RETURN_IF_ERROR(emit_dispatch(g, routed.indices, to, experts));
  Matrix rows = g.scratch(DType::F32, to.order.rows, x.cols);
  NPU_RETURN_IF_ERROR(emit_gather(g, to.tokens.at, x, x.rows, rows));
  Matrix made = g.scratch(DType::F32, to.order.rows, x.cols);
  NPU_RETURN_IF_ERROR(emit_experts(g, op, rows, to.offsets.at, made));
  return emit_combine(g, made, to.order, routed.weights, g.make(op.results[0], DType::F32));
}

Status lower_route(Generator &g, const Op &op) {
  if (op.results.size() != 2)
    return error("moe_route has not two results");
  NPU_ASSIGN_OR_RETURN(Matrix logits, g.matrix(op.part("logits")));
  return emit_route(g, op, logits,
                    {g.make(op.results[0], DType::I32), g.make(op.results[1], DType::F32)});
}

Status lower_dispatch(Generator &g, const Op &op) {
  if (op.results.size() != 3)
    return error("moe_dispatch has not three results");
  NPU_ASSIGN_OR_RETURN(Matrix x, g.matrix(op.part("input")));
  NPU_ASSIGN_OR_RETURN(Matrix indices, g.matrix(op.part("indices")));
  uint64_t experts = op.results[2].type.rows.factor - 1;
  Matrix rows = g.make(op.results[0], DType::F32);
  Dispatched to{g.make(op.results[1], DType::I32), g.scratch(DType::I32, rows.rows, 1),
                g.make(op.results[2], DType::I32)};
  NPU_RETURN_IF_ERROR(emit_dispatch(g, indices, to, experts));
  return emit_gather(g, to.tokens.at, x, x.rows, rows);
}

Status lower_experts(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Matrix rows, g.matrix(op.part("rows")));
  NPU_ASSIGN_OR_RETURN(Matrix offsets, g.matrix(op.part("offsets")));
  return emit_experts(g, op, rows, offsets.at, g.make(op.results[0], DType::F32));
}

Status lower_combine(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Matrix rows, g.matrix(op.part("rows")));
  NPU_ASSIGN_OR_RETURN(Matrix order, g.matrix(op.part("order")));
  NPU_ASSIGN_OR_RETURN(Matrix weights, g.matrix(op.part("weights")));
  return emit_combine(g, rows, order, weights, g.make(op.results[0], DType::F32));
}

} // namespace

Lowered lower_moe(Generator &g, const Op &op) {
  if (op.name == "lathe.fused_experts")
    return lower_fused_experts(g, op);
  if (op.name == "lathe.moe_route")
    return lower_route(g, op);
  if (op.name == "lathe.moe_dispatch")
    return lower_dispatch(g, op);
  if (op.name == "lathe.expert_ffn")
    return lower_experts(g, op);
  if (op.name == "lathe.moe_combine")
    return lower_combine(g, op);
  return std::nullopt;
}

} // namespace npu::codegen
