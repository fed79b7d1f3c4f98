// Products with weights. Rows are rounded to the type in which the cube takes them; weights were
// packed in that type, dequantised where they are codes. A cube of f16 alone takes rows and weights
// that were scaled into its range.
#include "codegen/generator.h"

namespace npu::codegen {

using kernels::MapOp;

namespace {

// How rows and weights enter a product.
struct Form {
  DType type = DType::F16;
  uint64_t parts = 1;  // of which rows are the sum
  bool scaled = false; // by powers of two, row by row
  uint64_t weight_parts = 1;
};

bool is_half(const Weight &weight) {
  return weight.type.is_tensor(LATHE_ELEMENT_BF16) || weight.type.is_tensor(LATHE_ELEMENT_F16);
}

// On a cube of f16 alone. Weights of 16 bits, once scaled, are what they were, so that a second
// part of rows is worth its work. Others are rounded, unless that could be seen in the result.
Form narrow_form(const Product &p) {
  bool half = is_half(p.weight);
  return {.type = DType::F16,
          .parts = p.precise || half ? 2u : 1u,
          .scaled = true,
          .weight_parts = (p.precise || p.rounded_next) && !half ? 2u : 1u};
}

// bf16 weights, whose range f16 does not have, meet rows of two bf16 parts; rows that are bf16 are
// one.
Form form_of(const Generator &g, const Product &p) {
  if (!g.cube_has(DType::F32) && !g.cube_has(DType::Bf16))
    return narrow_form(p);
  if (p.precise && g.cube_has(DType::F32))
    return {.type = DType::F32};
  if (p.a.type == DType::Bf16 && g.cube_has(DType::Bf16))
    return {.type = DType::Bf16};
  // Rows in f32 may be beyond f16, whatever the weights are.
  bool wide =
      p.weight.type.is_tensor(LATHE_ELEMENT_F32) || p.weight.type.is_tensor(LATHE_ELEMENT_F16);
  if (wide && g.cube_has(DType::F32))
    return {.type = DType::F32};
  bool splits = g.casts(DType::F32, DType::Bf16) && g.casts(DType::Bf16, DType::F32);
  if (p.weight.type.is_tensor(LATHE_ELEMENT_BF16) && g.cube_has(DType::Bf16) && splits)
    return {.type = DType::Bf16, .parts = 2};
  return {};
}

Packing packing_of(const Generator &g, const Product &p, const Form &form,
                   const kernels::ProductTiles &tiles) {
  bool rows_in_l1 = g.device.spec(Space::L1).layout == Layout::Rows;
  return {.type = form.type,
          .fractals = !rows_in_l1,
          .transposed = p.transposed,
          .scaled = form.scaled,
          .matrices = p.offsets ? p.weight.type.matrices : p.groups,
          .n = p.n,
          .k = p.k,
          .strip = tiles.n,
          .k_padded = kernels::round_up(p.k, elementsPerBlock(form.type)),
          .first = p.first,
          .step = p.step};
}

void note_conversion(Generator &g, const Product &p, const Form &form) {
  if (form.type == DType::F32)
    return;
  auto parts = [](uint64_t count) { return count > 1 ? "two parts of " : ""; };
  std::string said = text("products take ", parts(form.parts), name(form.type), " rows");
  if (form.weight_parts > 1)
    said += text(" and ", parts(form.weight_parts), name(form.type), " weights");
  else if (p.weight.type.kind == LATHE_TYPE_QUANTIZED)
    said += text(" and weights of ", element_name(p.weight.type.element), " dequantised to ",
                 name(form.type));
  g.note(said + (form.scaled ? ", scaled by powers of two" : "") + "; sums are f32");
}

kernels::ProductPlan plan_of(const Generator &g, const Product &p, const Form &form,
                             const Matrix &a) {
  uint64_t size = bitsOf(form.type) / 8;
  return {.form = p.offsets ? kernels::ProductForm::Experts : kernels::ProductForm::Weights,
          .type = form.type,
          .m = g.most(a.rows),
          .n = p.n,
          .k = p.k,
          .a_ld = a.ld,
          .c_ld = p.c.ld,
          .parts = form.parts,
          .a_part = p.a.cols * size,
          .groups = p.groups,
          .a_group = p.a_group * size,
          .c_group = p.c_group * 4,
          .experts = p.offsets ? p.weight.type.matrices : 1,
          .factors = form.scaled};
}

// c = a times the weight, or times what its first part lacks.
Status emit_cube(Generator &g, const Product &p, const Form &form, const Matrix &a, const Matrix &c,
                 bool second_part = false) {
  kernels::ProductPlan plan = plan_of(g, p, form, a);
  Result<kernels::ProductTiles> tiles = product_tiles(g.device, plan);
  if (!tiles.ok())
    return g.refuse(LATHE_REASON_SHAPE_LIMIT, tiles.message());
  std::string key = text("product ", int(plan.form), name(form.type), form.parts, form.scaled, " ",
                         plan.m, " ", p.n, " ", p.k, " ", a.ld, " ", plan.a_part, " ", p.c.ld, " ",
                         p.groups, " ", p.a_group, " ", p.c_group, " ", plan.experts);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return product(g.device, plan); }));
  Packing packing = packing_of(g, p, form, *tiles);
  packing.second_part = second_part;
  std::vector<Source> args{a.at, g.packed(p.weight, packing), c.at};
  if (p.offsets)
    args.insert(args.end(), {*p.offsets, p.active});
  else
    args.push_back(number(a.rows));
  double touched = static_cast<double>(packing.bytes()), rows = static_cast<double>(plan.m);
  if (p.offsets) // only the experts that have rows
    touched *= std::min(1.0, rows / static_cast<double>(plan.experts));
  g.launch(kernel, text(p.label, " ", p.n, "x", p.k, " ", name(form.type)), a.rows, std::move(args),
           {CoreKind::Aic, product_items(plan, *tiles), touched,
            2.0 * rows * static_cast<double>(form.parts * p.groups * p.n * p.k)});
  return {};
}

Status emit_unscale(Generator &g, const Product &p, const Matrix &factors) {
  kernels::UnscalePlan plan{p.n, p.c.ld, p.groups, p.c_group * 4};
  std::string key = text("unscale ", plan.cols, " ", plan.ld, " ", plan.groups, " ", plan.group);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel,
                       g.kernel(key, [&] { return unscale_rows(g.device, plan); }));
  uint64_t rows = g.most(p.c.rows) * p.groups;
  g.launch(kernel, text("unscale ", p.n), p.c.rows, {p.c.at, factors.at, number(p.c.rows)},
           {kernels::vector_kind(g.device), rows, 8.0 * static_cast<double>(rows * p.n)});
  return {};
}

Status emit_scaled(Generator &g, const Product &p, const Form &form) {
  NPU_ASSIGN_OR_RETURN(ScaledRows a, g.scaled(p.a, form.parts));
  NPU_RETURN_IF_ERROR(emit_cube(g, p, form, a.rows, p.c));
  if (form.weight_parts > 1) {
    Matrix rest = g.scratch(DType::F32, p.c.rows, p.c.cols, p.c.ld);
    NPU_RETURN_IF_ERROR(emit_cube(g, p, form, a.rows, rest, true));
    NPU_RETURN_IF_ERROR(emit_map(g, MapOp::Add, {p.c, rest}, p.c));
  }
  return emit_unscale(g, p, a.factors);
}

} // namespace

Status emit_product(Generator &g, const Product &p) {
  Form form = form_of(g, p);
  note_conversion(g, p, form);
  if (form.scaled)
    return emit_scaled(g, p, form);
  NPU_ASSIGN_OR_RETURN(Matrix a, form.parts > 1 ? g.in_parts(p.a) : g.as(p.a, form.type));
  return emit_cube(g, p, form, a, p.c);
}

namespace {

Status check_linear(Generator &g, const Part &x, const Weight &weight) {
  if (x.type.kind == LATHE_TYPE_QUANTIZED)
    return g.unsupported_type(x, "rows of floats; compile with other --activations");
  if (x.type.cols != weight.type.cols)
    return error(x.name, " has ", x.type.cols, " columns, its weight ", weight.type.cols);
  return {};
}

// y = x W^T + b into `c`.
Status emit_linear(Generator &g, const Op &op, const Part &x_part, const Part &weight_part,
                   const Part *bias, const Matrix &c) {
  NPU_ASSIGN_OR_RETURN(Weight weight, g.weight(weight_part));
  NPU_RETURN_IF_ERROR(check_linear(g, x_part, weight));
  NPU_ASSIGN_OR_RETURN(Matrix x, g.matrix(x_part));
  Product product{.a = x,
                  .c = c,
                  .weight = weight,
                  .n = weight.rows(),
                  .k = weight.type.cols,

                  .offsets = {},
                  .active = {},
                  .label = op.name.substr(6)};
  NPU_RETURN_IF_ERROR(emit_product(g, product));
  if (!bias)
    return {};
  NPU_ASSIGN_OR_RETURN(Weight terms, g.weight(*bias));
  Matrix row{g.rows_of(terms), DType::F32, {Count::Constant, 0}, c.cols, c.cols * 4};
  return emit_map(g, MapOp::Add, {c, row}, c);
}

Status lower_one(Generator &g, const Op &op) {
  return emit_linear(g, op, op.part("x"), op.part("weight"), op.operand("bias"),
                     g.make(op.results[0], DType::F32));
}

Status lower_fused(Generator &g, const Op &op) {
  auto weights = op.all_operands("weights"), biases = op.all_operands("biases");
  if (weights.size() != op.results.size() || (!biases.empty() && biases.size() != weights.size()))
    return error("fused_linear has not a result for each weight");
  for (size_t i = 0; i < weights.size(); ++i)
    NPU_RETURN_IF_ERROR(emit_linear(g, op, op.part("x"), *weights[i],
                                    biases.empty() ? nullptr : biases[i],
                                    g.make(op.results[i], DType::F32)));
  return {};
}

Status lower_gated(Generator &g, const Op &op) {
  const Type &type = op.results[0].type;
  Matrix gate = g.scratch(DType::F32, type.rows, type.cols);
  Matrix up = g.scratch(DType::F32, type.rows, type.cols);
  const Part &x = op.part("x");
  NPU_RETURN_IF_ERROR(emit_linear(g, op, x, op.part("gate"), op.operand("gate_bias"), gate));
  NPU_RETURN_IF_ERROR(emit_linear(g, op, x, op.part("up"), op.operand("up_bias"), up));
  return emit_map(g, MapOp::Swiglu, {gate, up}, g.make(op.results[0], DType::F32));
}

} // namespace

Lowered lower_linear(Generator &g, const Op &op) {
  if (op.name == "lathe.linear" || op.name == "lathe.scaled_matmul")
    return lower_one(g, op);
  if (op.name == "lathe.fused_linear")
    return lower_fused(g, op);
  if (op.name == "lathe.gated_linear")
    return lower_gated(g, op);
  return std::nullopt;
}

} // namespace npu::codegen
