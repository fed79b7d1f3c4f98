#include "tests/conformance/recipes/blocks.h"

#include <cmath>

namespace lathe::conformance {

using mlir::Value;

namespace {

Value plus(Body &b, Value x, Value y) {
  return b.create<ir::AddOp>(mlir::cast<mlir::RankedTensorType>(x.getType()), x, y);
}

Value columns(Body &b, Value x, int64_t offset, int64_t width) {
  return b.create<ir::SliceOp>(b.rowsType(width), x, offset);
}

Value rotate(Body &b, Value x, int64_t heads, int64_t head_dim, int64_t offset, int64_t width,
             ir::RopeLayout layout) {
  std::vector<float> frequencies;
  for (int64_t i = 0; i < width / 2; ++i)
    frequencies.push_back(static_cast<float>(
        std::pow(10000.0, -2 * static_cast<double>(i) / static_cast<double>(width))));
  auto table = b.create<ir::RopeTableOp>(
      b.rowsType(width), b.positions(),
      mlir::DenseF32ArrayAttr::get(b.builder().getContext(), frequencies), b.f32(1));
  return b.create<ir::RopeOp>(b.rowsType(heads * head_dim), x, table, head_dim, offset, layout);
}

mlir::IntegerAttr whole(Body &b, int64_t value) { return b.builder().getI64IntegerAttr(value); }

} // namespace

Measure layers(int64_t count, const LayerShape &shape) {
  const auto depth = static_cast<double>(count);
  const double step = std::string(shape.cache) == "bf16" ? 0x1p-9 : 0;
  return {depth * (0x1p-18 + step), depth * 0x1p-20, depth * 0x1p-20, static_cast<int>(4 * count),
          "f32 sums of all ops, one behind the other"};
}

Value rmsNorm(Body &b, const std::string &name, Value x, int64_t columns, int64_t length) {
  return b.create<ir::RmsNormOp>(b.rowsType(columns), x, b.weight(name, {length}, "f32"),
                                 b.f32(1e-6));
}

Value project(Body &b, const std::string &name, Value x, int64_t n, int64_t k, const char *layout) {
  Value weight = b.weight(name, {n, k}, layout);
  if (mlir::isa<ir::QuantizedType>(weight.getType()))
    return b.create<ir::ScaledMatmulOp>(b.rowsType(n), x, weight, Value());
  return b.create<ir::LinearOp>(b.rowsType(n), x, weight, Value());
}

Value groupedAttention(Body &b, const std::string &name, Value x, const LayerShape &s) {
  Value h = rmsNorm(b, name + ".norm", x, s.hidden, s.hidden);
  Value q = project(b, name + ".q", h, s.heads * s.head_dim, s.hidden, s.layout);
  Value k = project(b, name + ".k", h, s.kv_heads * s.head_dim, s.hidden, s.layout);
  Value v = project(b, name + ".v", h, s.kv_heads * s.head_dim, s.hidden, s.layout);
  if (s.has_head_norms) {
    q = rmsNorm(b, name + ".q_norm", q, s.heads * s.head_dim, s.head_dim);
    k = rmsNorm(b, name + ".k_norm", k, s.kv_heads * s.head_dim, s.head_dim);
  }
  q = rotate(b, q, s.heads, s.head_dim, 0, s.head_dim, ir::RopeLayout::half);
  k = rotate(b, k, s.kv_heads, s.head_dim, 0, s.head_dim, ir::RopeLayout::half);
  Value cache = b.kvCache(s.context, s.kv_heads, s.head_dim, s.head_dim, s.cache);
  auto attention =
      b.create<ir::AttentionOp>(mlir::TypeRange{b.rowsType(s.heads * s.head_dim), cache.getType()},
                                q, k, v, b.slots(), b.positions(), cache, whole(b, s.heads),
                                b.f32(1 / std::sqrt(static_cast<double>(s.head_dim))),
                                s.window ? whole(b, s.window) : mlir::IntegerAttr());
  b.giveCache(attention.getUpdated());
  return plus(
      b, x,
      project(b, name + ".o", attention.getResult(), s.hidden, s.heads * s.head_dim, s.layout));
}

Value latentAttention(Body &b, const std::string &name, Value x, const LayerShape &s) {
  const int64_t head = s.nope + s.rope;
  Value h = rmsNorm(b, name + ".norm", x, s.hidden, s.hidden), q = h;
  if (s.q_lora_rank > 0)
    q = rmsNorm(b, name + ".q_a_norm",
                project(b, name + ".q_a", h, s.q_lora_rank, s.hidden, s.layout), s.q_lora_rank,
                s.q_lora_rank);
  q = project(b, name + ".q_b", q, s.heads * head, s.q_lora_rank > 0 ? s.q_lora_rank : s.hidden,
              s.layout);
  q = rotate(b, q, s.heads, head, s.nope, s.rope, ir::RopeLayout::pairs);
  Value kv = project(b, name + ".kv_a", h, s.kv_lora_rank + s.rope, s.hidden, s.layout);
  Value c = rmsNorm(b, name + ".kv_a_norm", columns(b, kv, 0, s.kv_lora_rank), s.kv_lora_rank,
                    s.kv_lora_rank);
  Value key = rotate(b, columns(b, kv, s.kv_lora_rank, s.rope), 1, s.rope, 0, s.rope,
                     ir::RopeLayout::pairs);
  Value latent =
      b.create<ir::ConcatOp>(b.rowsType(s.kv_lora_rank + s.rope), mlir::ValueRange{c, key});
  Value kv_b = b.weight(name + ".kv_b", {s.heads * (s.nope + s.value), s.kv_lora_rank}, "bf16");
  if (s.is_folded)
    q = b.create<ir::AbsorbQueryOp>(b.rowsType(s.heads * (s.kv_lora_rank + s.rope)), q, kv_b,
                                    s.heads, s.nope, s.rope, s.value);
  Value cache = b.latentCache(s.context, s.kv_lora_rank, s.rope, s.cache);
  const int64_t width = s.heads * (s.is_folded ? s.kv_lora_rank : s.value);
  auto attention = b.create<ir::MlaAttentionOp>(
      mlir::TypeRange{b.rowsType(width), cache.getType()}, q, latent, b.slots(), b.positions(),
      cache, s.is_folded ? Value() : kv_b, whole(b, s.heads), whole(b, s.nope), whole(b, s.rope),
      whole(b, s.value), b.f32(1 / std::sqrt(static_cast<double>(head))),
      ir::MlaFormAttr::get(b.builder().getContext(),
                           s.is_folded ? ir::MlaForm::absorbed : ir::MlaForm::materialised));
  b.giveCache(attention.getUpdated());
  Value out = attention.getResult();
  if (s.is_folded)
    out = b.create<ir::ExpandValueOp>(b.rowsType(s.heads * s.value), out, kv_b, s.heads, s.nope,
                                      s.rope, s.value);
  return plus(b, x, project(b, name + ".o", out, s.hidden, s.heads * s.value, s.layout));
}

static Value gatedMlp(Body &b, const std::string &name, Value h, const LayerShape &s) {
  Value gate = b.weight(name + ".gate", {s.inner, s.hidden}, s.layout),
        up = b.weight(name + ".up", {s.inner, s.hidden}, s.layout);
  Value inner = b.create<ir::GatedLinearOp>(b.rowsType(s.inner), h, gate, up, Value(), Value());
  return project(b, name + ".down", inner, s.hidden, s.inner, s.layout);
}

Value denseMlp(Body &b, const std::string &name, Value x, const LayerShape &s) {
  return plus(b, x, gatedMlp(b, name, rmsNorm(b, name + ".norm", x, s.hidden, s.hidden), s));
}

// Router's product, choice, sort, experts and weighted sum, as five ops.
static Value stepByStep(Body &b, Value h, Value router, Value gate, Value up, Value down,
                        Value bias, const LayerShape &s, const Routing &r) {
  Value logits = b.create<ir::LinearOp>(b.rowsType(r.experts), h, router, Value());
  auto route = b.create<ir::MoeRouteOp>(
      mlir::TypeRange{b.indicesType(r.top_k), b.rowsType(r.top_k)}, logits, bias, r.attribute(b));
  auto dispatch = b.create<ir::MoeDispatchOp>(
      mlir::TypeRange{b.rowsType(s.hidden, "f32", r.top_k), b.indicesType(0, r.top_k),
                      mlir::RankedTensorType::get({r.experts + 1}, b.builder().getI32Type())},
      h, route.getIndices());
  Value rows =
      b.create<ir::ExpertFfnOp>(b.rowsType(s.hidden, "f32", r.top_k), dispatch.getRows(),
                                dispatch.getOffsets(), gate, up, down, ir::Activations::f32);
  return b.create<ir::MoeCombineOp>(b.rowsType(s.hidden), rows, dispatch.getOrder(),
                                    route.getWeights());
}

Value expertLayer(Body &b, const std::string &name, Value x, const LayerShape &s, const Routing &r,
                  bool fused) {
  Value h = rmsNorm(b, name + ".norm", x, s.hidden, s.hidden);
  Value router = b.weight(name + ".router", {r.experts, s.hidden}, "f32");
  Value gate = b.stack(name + ".experts.gate", {r.experts, s.inner, s.hidden}, s.layout, true),
        up = b.stack(name + ".experts.up", {r.experts, s.inner, s.hidden}, s.layout, true),
        down = b.stack(name + ".experts.down", {r.experts, s.hidden, s.inner}, s.layout, true);
  Value bias = r.has_bias ? b.weight(name + ".bias", {r.experts}, "f32", uniform(0.2)) : Value();
  Value routed = fused
                     ? b.create<ir::FusedExpertsOp>(b.rowsType(s.hidden), h, router, gate, up, down,
                                                    bias, r.attribute(b), ir::Activations::f32)
                           .getResult()
                     : stepByStep(b, h, router, gate, up, down, bias, s, r);
  return plus(b, x, plus(b, routed, gatedMlp(b, name + ".shared", h, s)));
}

} // namespace lathe::conformance
