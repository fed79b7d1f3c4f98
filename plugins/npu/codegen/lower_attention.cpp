// Attention. Latent attention is always absorbed: all its forms have one meaning, and a weight that
// stands inside of the op is folded around it. Caches are f16 rows, whatever the model calls them.
//
// Rows go into the cache. Latent attention is then one launch where the device has vector cores
// beside its cube cores (latent_decode). Otherwise, for as many tokens at once as scratch memory is
// meant to hold scores of: scores on the cube, softmax on the vector unit, sums of values on the
// cube.
#include "codegen/generator.h"
#include "kernels/latent_decode.h"

namespace npu::codegen {

using kernels::MapOp;
using kernels::ProductForm;

namespace {

constexpr uint64_t score_bytes = uint64_t{64} << 20; // of scratch memory, for scores

struct Shape {
  uint64_t heads, n, r, v, c;
};

Shape shape_of(const Op &op, uint64_t c) {
  auto read = [&](const char *name) { return static_cast<uint64_t>(op.integer(name)); };
  return {read("num_heads"), read("qk_nope_head_dim"), read("qk_rope_head_dim"), read("v_head_dim"),
          c};
}

Result<Matrix> dense(Generator &g, const Matrix &x) {
  if (x.dense())
    return x;
  Matrix made = g.scratch(x.type, x.rows, x.cols);
  NPU_RETURN_IF_ERROR(emit_map(g, MapOp::Copy, {x}, made));
  return made;
}

// [nope | rope] of each head to [W_UK^T nope | rope].
Status emit_absorb(Generator &g, const Matrix &query, const Weight &kv_b, const Shape &s,
                   const Matrix &result) {
  NPU_ASSIGN_OR_RETURN(Matrix x, dense(g, query));
  uint64_t from = s.n + s.r, to = s.c + s.r;
  Product product{.a = x,
                  .c = result,
                  .weight = kv_b,
                  .n = s.c,
                  .k = s.n,
                  .groups = s.heads,
                  .a_group = from,
                  .c_group = to,
                  .transposed = true,
                  .first = 0,
                  .step = s.n + s.v,
                  .offsets = {},
                  .active = {},
                  .label = "absorb_query"};
  NPU_RETURN_IF_ERROR(emit_product(g, product));
  return emit_map(g, MapOp::Copy, {x.split(s.heads).columns(s.n, s.r)},
                  result.split(s.heads).columns(s.c, s.r));
}

Status emit_expand(Generator &g, const Matrix &latents, const Weight &kv_b, const Shape &s,
                   const Matrix &result) {
  Product product{.a = latents,
                  .c = result,
                  .weight = kv_b,
                  .n = s.v,
                  .k = s.c,
                  .groups = s.heads,
                  .a_group = s.c,
                  .c_group = s.v,
                  .first = s.n,
                  .step = s.n + s.v,
                  .offsets = {},
                  .active = {},
                  .label = "expand_value"};
  return emit_product(g, product);
}

Result<Weight> folded_weight(Generator &g, const Op &op, const Shape &s) {
  NPU_ASSIGN_OR_RETURN(Weight kv_b, g.weight(op.part("kv_b")));
  if (!s.heads || kv_b.rows() != s.heads * (s.n + s.v))
    return error("kv_b has ", kv_b.rows(), " rows, its heads take ", s.heads * (s.n + s.v));
  return kv_b;
}

Status lower_absorb(Generator &g, const Op &op) {
  Shape s = shape_of(op, op.part("kv_b").type.cols);
  NPU_ASSIGN_OR_RETURN(Weight kv_b, folded_weight(g, op, s));
  NPU_ASSIGN_OR_RETURN(Matrix query, g.matrix(op.part("input")));
  return emit_absorb(g, query, kv_b, s, g.make(op.results[0], DType::F32));
}

Status lower_expand(Generator &g, const Op &op) {
  Shape s = shape_of(op, op.part("kv_b").type.cols);
  NPU_ASSIGN_OR_RETURN(Weight kv_b, folded_weight(g, op, s));
  NPU_ASSIGN_OR_RETURN(Matrix latents, g.matrix(op.part("input")));
  return emit_expand(g, latents, kv_b, s, g.make(op.results[0], DType::F32));
}

// ---- Over a cache

// Keys and values where they lie: bytes from one key to the next and from one group to the next.
struct Cached {
  Source keys, values;
  uint64_t key_ld = 0, key_group = 0, value_ld = 0, value_group = 0;
  uint64_t groups = 1, key_dim = 0, value_dim = 0, slots = 1, max_context = 0;
  uint64_t block_keys = 0; // of fractals; 0: rows
  bool as_bf16 = false;    // what goes in is rounded to bf16, as the model says
};

// Numbers of a bf16 cache are those that the model means; f16 holds them.
bool rounds_to_bf16(const Type &cache) { return cache.element == LATHE_ELEMENT_BF16; }

Status emit_append(Generator &g, const Op &op, const Matrix &x, const Source &cache, uint64_t ld,
                   const Cached &in) {
  NPU_ASSIGN_OR_RETURN(Matrix slots, g.matrix(op.part("slots")));
  NPU_ASSIGN_OR_RETURN(Matrix positions, g.matrix(op.part("positions")));
  kernels::AppendPlan plan{DType::F16, x.cols, x.ld,          in.max_context,
                           in.slots,   ld,     in.block_keys, in.as_bf16};
  std::string key = text("append ", x.cols, " ", x.ld, " ", in.max_context, " ", in.slots, " ", ld,
                         " ", in.block_keys, in.as_bf16);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return append(g.device, plan); }));
  uint64_t rows = g.most(x.rows);
  g.launch(kernel, text("append ", x.cols), x.rows,
           {x.at, cache, slots.at, positions.at, number(x.rows)},
           {kernels::vector_kind(g.device), rows, 6.0 * rows * x.cols});
  return {};
}

struct Step {
  uint64_t heads, p_ld, scores_ld, tokens; // heads of a group
};

kernels::ProductPlan product_plan(const Cached &in, const Step &step, bool values,
                                  uint64_t row_bytes) {
  return {.form = values ? ProductForm::Values : ProductForm::Scores,
          .type = DType::F16,
          .m = step.heads,
          .n = values ? in.value_dim : in.max_context,
          .k = values ? in.max_context : in.key_dim,
          .a_ld = values ? step.p_ld : row_bytes,
          .c_ld = values ? row_bytes : step.scores_ld,
          .groups = in.groups,
          .a_group = step.heads * (values ? step.p_ld : row_bytes),
          .c_group = step.heads * (values ? row_bytes : step.scores_ld),
          .experts = 1,
          .b_ld = values ? in.value_ld : in.key_ld,
          .b_group = values ? in.value_group : in.key_group,
          .b_slot = in.max_context * (values ? in.value_ld : in.key_ld),
          .tokens = step.tokens,
          .slots = in.slots};
}

Status emit_cached_product(Generator &g, const kernels::ProductPlan &plan, const Source &a,
                           const Source &b, const Source &c, const Op &op, Count rows,
                           uint64_t first) {
  NPU_ASSIGN_OR_RETURN(Matrix slots, g.matrix(op.part("slots")));
  NPU_ASSIGN_OR_RETURN(Matrix positions, g.matrix(op.part("positions")));
  Result<kernels::ProductTiles> tiles = product_tiles(g.device, plan);
  if (!tiles.ok())
    return g.refuse(LATHE_REASON_SHAPE_LIMIT, tiles.message());
  std::string key = text("cached ", int(plan.form), " ", plan.m, " ", plan.n, " ", plan.k, " ",
                         plan.a_ld, " ", plan.c_ld, " ", plan.groups, " ", plan.b_ld, " ",
                         plan.b_group, " ", plan.tokens, " ", plan.slots);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return product(g.device, plan); }));
  bool scores = plan.form == ProductForm::Scores;
  double tokens = static_cast<double>(std::min(plan.tokens, g.most(rows)));
  double numbers = tokens * static_cast<double>(plan.groups * plan.n * plan.k);
  g.launch(
      kernel,
      text(scores ? "scores " : "values ", plan.m * plan.groups, "x", scores ? plan.k : plan.n),
      rows, {a, b, c, slots.at, positions.at, number(rows), constant(first)},
      {CoreKind::Aic, product_items(plan, *tiles), numbers * 2,
       2 * numbers * static_cast<double>(plan.m)});
  return {};
}

Status emit_softmax(Generator &g, const Op &op, const Cached &in, const Step &step,
                    const Matrix &scores, const Matrix &p, Count rows, uint64_t first) {
  NPU_ASSIGN_OR_RETURN(Matrix positions, g.matrix(op.part("positions")));
  kernels::SoftmaxPlan plan{.heads = step.heads * in.groups,
                            .max_context = in.max_context,
                            .scores_ld = step.scores_ld,
                            .p_ld = step.p_ld,
                            .tokens = step.tokens,
                            .window = static_cast<uint64_t>(op.integer("window")),
                            .scale = static_cast<float>(op.real("softmax_scale"))};
  std::string key = text("softmax ", plan.heads, " ", plan.max_context, " ", plan.tokens, " ",
                         plan.window, " ", plan.scale);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return softmax(g.device, plan); }));
  uint64_t items = plan.heads * std::min(step.tokens, g.most(rows));
  g.launch(kernel, text("softmax ", plan.heads), rows,
           {scores.at, p.at, positions.at, number(rows), constant(first)},
           {kernels::vector_kind(g.device), items, 10.0 * items * in.max_context});
  return {};
}

// `query` [T, groups * heads * key_dim], `result` [T, groups * heads * value_dim].
Status emit_attention(Generator &g, const Op &op, const Matrix &query, const Cached &in,
                      uint64_t heads, const Matrix &result) {
  NPU_ASSIGN_OR_RETURN(Matrix rounded, g.as(query, DType::F16));
  NPU_ASSIGN_OR_RETURN(Matrix q, dense(g, rounded));
  uint64_t width = kernels::round_up(in.max_context, 16), all = heads * in.groups;
  Step step{heads, width * 2, width * 4, 1};
  step.tokens = std::clamp<uint64_t>(score_bytes / (all * width * 6), 1, g.most(q.rows));
  Matrix scores = g.scratch(DType::F32, {Count::Constant, step.tokens * all}, width);
  Matrix p = g.scratch(DType::F16, {Count::Constant, step.tokens * all}, width);
  auto by_key = product_plan(in, step, false, in.key_dim * 2);
  auto by_value = product_plan(in, step, true, in.value_dim * 4);
  for (uint64_t first = 0; first < g.most(q.rows); first += step.tokens) {
    NPU_RETURN_IF_ERROR(
        emit_cached_product(g, by_key, q.at, in.keys, scores.at, op, q.rows, first));
    NPU_RETURN_IF_ERROR(emit_softmax(g, op, in, step, scores, p, q.rows, first));
    NPU_RETURN_IF_ERROR(
        emit_cached_product(g, by_value, p.at, in.values, result.at, op, q.rows, first));
  }
  return {};
}

kernels::LatentDecodePlan latent_plan(const Op &op, const Type &cache) {
  return {.heads = static_cast<uint64_t>(op.integer("num_heads")),
          .c = cache.kv_lora_rank,
          .r = cache.rope_dim,
          .max_context = cache.max_context,
          .slots = cache.slots,
          .scale = static_cast<float>(op.real("softmax_scale"))};
}

// In blocks of fractals for latent_decode, else in rows.
Result<Cached> latent_cache(Generator &g, const Part &part,
                            const std::optional<kernels::LatentTiles> &tiles) {
  const Type &type = part.type;
  uint64_t dim = type.kv_lora_rank + type.rope_dim, ld = kernels::round_up(dim, 16) * 2;
  Cached in{.keys = {},
            .values = {},
            .key_ld = ld,
            .value_ld = ld,
            .key_dim = dim,
            .value_dim = type.kv_lora_rank,
            .slots = type.slots,
            .max_context = type.max_context,
            .block_keys = tiles ? tiles->keys : 0,
            .as_bf16 = rounds_to_bf16(type)};
  uint64_t rows = kernels::round_up(type.max_context, tiles ? tiles->keys : 1);
  NPU_ASSIGN_OR_RETURN(in.keys, g.cache(part, "latents", type.slots * rows * ld));
  in.values = in.keys;
  return in;
}

Status emit_latent_merge(Generator &g, const kernels::LatentDecodePlan &plan, const Matrix &sums,
                         const Matrix &stats, Count rows, const Matrix &result) {
  std::string key = text("latent_merge ", plan.heads, " ", plan.c, " ", plan.splits);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel,
                       g.kernel(key, [&] { return latent_merge(g.device, plan); }));
  uint64_t items = g.most(rows) * plan.heads;
  g.launch(kernel, text("latent_merge ", plan.splits), rows,
           {sums.at, stats.at, result.at, number(rows)},
           {CoreKind::Aiv, items, 4.0 * items * plan.splits * plan.c});
  return {};
}

Status emit_latent_decode(Generator &g, const Op &op, const Matrix &query, const Cached &in,
                          kernels::LatentDecodePlan plan, const Matrix &result) {
  NPU_ASSIGN_OR_RETURN(Matrix rounded, g.as(query, DType::F16));
  NPU_ASSIGN_OR_RETURN(Matrix q, dense(g, rounded));
  NPU_ASSIGN_OR_RETURN(Matrix slots, g.matrix(op.part("slots")));
  NPU_ASSIGN_OR_RETURN(Matrix positions, g.matrix(op.part("positions")));
  kernels::LatentTiles tiles = *latent_tiles(g.device, plan);
  plan.splits = latent_splits(g.device, plan, tiles);
  uint64_t items = plan.tokens * kernels::ceil_div(plan.heads, tiles.heads) * plan.splits;
  auto blocks = static_cast<unsigned>(std::min<uint64_t>(items, g.device.groups));
  std::string key =
      text("latent_decode ", plan.heads, " ", plan.c, " ", plan.r, " ", plan.max_context, " ",
           plan.slots, " ", plan.scale, " ", plan.splits, " ", tiles.wide, " ", blocks);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel,
                       g.kernel(key, [&] { return latent_decode(g.device, plan, blocks); }));
  Matrix work = g.scratch(DType::F32, {Count::Constant, blocks}, tiles.work_bytes / 4);
  std::vector<Source> args{q.at,     in.keys,      result.at,     work.at,
                           slots.at, positions.at, number(q.rows)};
  Count rows = {q.rows.extent, q.rows.factor * plan.splits * plan.heads};
  Matrix sums = plan.splits > 1 ? g.scratch(DType::F32, rows, plan.c) : result;
  Matrix stats = plan.splits > 1 ? g.scratch(DType::F32, rows, 2) : result;
  if (plan.splits > 1)
    args[2] = sums.at, args.push_back(stats.at);
  double keys = static_cast<double>(plan.tokens * plan.max_context);
  g.launch(kernel, text("latent_decode ", plan.heads, "x", plan.c + plan.r), q.rows,
           std::move(args),
           {CoreKind::Aic, items, keys * static_cast<double>(in.key_ld),
            keys * 2.0 * static_cast<double>(plan.heads * (2 * plan.c + plan.r))});
  return plan.splits > 1 ? emit_latent_merge(g, plan, sums, stats, q.rows, result) : Status();
}

Status lower_mla(Generator &g, const Op &op) {
  kernels::LatentDecodePlan plan = latent_plan(op, op.part("cache").type);
  NPU_ASSIGN_OR_RETURN(Matrix query, g.matrix(op.part("query")));
  plan.tokens = g.most(query.rows);
  std::optional<kernels::LatentTiles> tiles = latent_tiles(g.device, plan);
  NPU_ASSIGN_OR_RETURN(Cached in, latent_cache(g, op.part("cache"), tiles));
  NPU_ASSIGN_OR_RETURN(Matrix latent, g.matrix(op.part("latent")));
  Shape s = shape_of(op, in.value_dim);
  NPU_RETURN_IF_ERROR(emit_append(g, op, latent, in.keys, in.key_ld, in));
  g.note("the cache is kept in f16; products take f16");
  auto attend = [&](const Matrix &q, const Matrix &to) {
    return tiles ? emit_latent_decode(g, op, q, in, plan, to)
                 : emit_attention(g, op, q, in, s.heads, to);
  };
  Matrix result = g.make(op.results[0], DType::F32);
  if (!op.operand("kv_b"))
    return attend(query, result);
  NPU_ASSIGN_OR_RETURN(Weight kv_b, folded_weight(g, op, s));
  Matrix folded = g.scratch(DType::F32, query.rows, s.heads * in.key_dim);
  Matrix latents = g.scratch(DType::F32, query.rows, s.heads * in.value_dim);
  NPU_RETURN_IF_ERROR(emit_absorb(g, query, kv_b, s, folded));
  NPU_RETURN_IF_ERROR(attend(folded, latents));
  return emit_expand(g, latents, kv_b, s, result);
}

Result<Cached> kv_cache(Generator &g, const Part &part) {
  const Type &type = part.type;
  Cached in{.keys = {},
            .values = {},
            .key_ld = type.kv_heads * type.key_dim * 2,
            .key_group = type.key_dim * 2,
            .value_ld = type.kv_heads * type.value_dim * 2,
            .value_group = type.value_dim * 2,
            .groups = type.kv_heads,
            .key_dim = type.key_dim,
            .value_dim = type.value_dim,
            .slots = type.slots,
            .max_context = type.max_context,
            .block_keys = 0,
            .as_bf16 = rounds_to_bf16(type)};
  uint64_t rows = type.slots * type.max_context;
  NPU_ASSIGN_OR_RETURN(in.keys, g.cache(part, "keys", rows * in.key_ld));
  NPU_ASSIGN_OR_RETURN(in.values, g.cache(part, "values", rows * in.value_ld));
  return in;
}

Status lower_grouped(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Cached in, kv_cache(g, op.part("cache")));
  NPU_ASSIGN_OR_RETURN(Matrix query, g.matrix(op.part("query")));
  NPU_ASSIGN_OR_RETURN(Matrix key, g.matrix(op.part("key")));
  NPU_ASSIGN_OR_RETURN(Matrix value, g.matrix(op.part("value")));
  uint64_t heads = static_cast<uint64_t>(op.integer("num_heads"));
  if (!in.groups || heads % in.groups)
    return error(heads, " heads are no multiple of ", in.groups, " of the cache");
  NPU_RETURN_IF_ERROR(emit_append(g, op, key, in.keys, in.key_ld, in));
  NPU_RETURN_IF_ERROR(emit_append(g, op, value, in.values, in.value_ld, in));
  g.note("the cache is kept in f16; products take f16");
  return emit_attention(g, op, query, in, heads / in.groups, g.make(op.results[0], DType::F32));
}

} // namespace

Lowered lower_attention(Generator &g, const Op &op) {
  if (op.name == "lathe.absorb_query")
    return lower_absorb(g, op);
  if (op.name == "lathe.expand_value")
    return lower_expand(g, op);
  if (op.name == "lathe.mla_attention")
    return lower_mla(g, op);
  if (op.name == "lathe.attention")
    return lower_grouped(g, op);
  return std::nullopt;
}

} // namespace npu::codegen
