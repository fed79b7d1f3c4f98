// Layers of models and whole tiny models: prefill in chunks and decode on one state.
#include "tests/conformance/recipes/blocks.h"

namespace lathe::conformance {
namespace {

using mlir::Value;

std::vector<Step> conversation(bool is_long) {
  return is_long ? stepsOf({17, 9, 1, 1, 4, 1}) : stepsOf({1, 1, 1});
}

void addLayer(Cases &cases, const std::string &name, const LayerShape &shape, bool is_long,
              int64_t slots,
              Value (*layer)(Body &, const std::string &, Value, const LayerShape &)) {
  Case made{absl::StrCat("layer/", name, "/rows", rowsText(conversation(is_long)),
                         slots > 1 ? absl::StrCat("_slots", slots) : ""),
            conversation(is_long), [=](Body &b) {
              b.result(layer(b, "layer", b.rows("x", shape.hidden), shape), layers(1, shape));
            }};
  made.slots = slots;
  cases.push_back(std::move(made));
}

void addExpertLayer(Cases &cases, const Routing &routing, const char *layout, bool fused,
                    bool is_long) {
  LayerShape shape;
  shape.layout = layout;
  shape.inner = 48;
  cases.push_back(
      {absl::StrCat("layer/experts_", routing.name, "_", layout, fused ? "_fused" : "_steps",
                    "/rows", rowsText(conversation(is_long))),
       conversation(is_long), [=](Body &b) {
         b.result(expertLayer(b, "layer", b.rows("x", shape.hidden), shape, routing, fused),
                  layers(1, shape));
       }});
}

// A family: what its layers are.
struct Family {
  const char *name;
  LayerShape shape;
  bool is_latent = false;
  Routing routing = {"none"};
  bool has_experts = false, fused = true;
  const char *head = "bf16";
};

Value decoder(Body &b, const Family &f, int64_t vocab, int64_t depth) {
  Value x = b.create<ir::EmbeddingOp>(b.rowsType(f.shape.hidden), b.tokens(vocab),
                                      b.weight("embed", {vocab, f.shape.hidden}, "bf16"));
  for (int64_t i = 0; i < depth; ++i) {
    const std::string name = absl::StrCat("layers.", i);
    x = f.is_latent ? latentAttention(b, name + ".attention", x, f.shape)
                    : groupedAttention(b, name + ".attention", x, f.shape);
    // The first layer of an expert model is dense.
    x = f.has_experts && i > 0 ? expertLayer(b, name + ".mlp", x, f.shape, f.routing, f.fused)
                               : denseMlp(b, name + ".mlp", x, f.shape);
  }
  const auto open = mlir::RankedTensorType::get({mlir::ShapedType::kDynamic, f.shape.hidden},
                                                b.builder().getF32Type());
  Value chosen = b.create<ir::SelectRowsOp>(open, x, b.outputRows());
  Value normed =
      b.create<ir::RmsNormOp>(open, chosen, b.weight("norm", {f.shape.hidden}, "f32"), b.f32(1e-6));
  const auto logits =
      mlir::RankedTensorType::get({mlir::ShapedType::kDynamic, vocab}, b.builder().getF32Type());
  return b.create<ir::LinearOp>(logits, normed, b.weight("head", {vocab, f.shape.hidden}, f.head),
                                Value());
}

void addModel(Cases &cases, const Family &family, int64_t depth, std::vector<Step> steps) {
  std::string name = absl::StrCat("model/", family.name, family.fused ? "" : "_steps", "/rows",
                                  rowsText(steps), "_layers", depth);
  cases.push_back({name, std::move(steps), [=](Body &b) {
                     b.result(decoder(b, family, 131, depth), layers(2 * depth, family.shape));
                   }});
}

std::vector<Family> families() {
  LayerShape llama, qwen3, mistral, v2, v3, v3_fp8, bf16_cache;
  qwen3.has_head_norms = true;
  mistral.window = 8;
  v2.inner = v3.inner = v3_fp8.inner = 48;
  v3.q_lora_rank = v3_fp8.q_lora_rank = 24;
  v3_fp8.layout = "f8e4m3_128x128";
  v3_fp8.hidden = 160;
  v3_fp8.is_folded = true;
  bf16_cache.cache = "bf16";
  const std::vector<Routing> all = routings();
  const Routing deepseek_v2 = all[5], deepseek_v3 = all[6];
  LayerShape integers = llama;
  integers.layout = "i8_1x32_f16";
  return {{"llama", llama},
          {"llama_bf16_cache", bf16_cache},
          {"llama_i8", integers},
          {"qwen3", qwen3},
          {"mistral", mistral},
          {"deepseek_v2", v2, true, deepseek_v2, true},
          {"deepseek_v2", v2, true, deepseek_v2, true, false},
          {"deepseek_v3", v3, true, deepseek_v3, true},
          {"deepseek_v3_fp8", v3_fp8, true, deepseek_v3, true},
          {"qwen3_moe", qwen3, false, all[1], true}};
}

} // namespace

void addLayerCases(Cases &cases) {
  for (const char *layout : {"f32", "bf16", "f8e4m3_128x128", "i8_1x32_f16", "i4_1x32_f16"})
    for (bool is_long : {false, true}) {
      LayerShape shape;
      shape.layout = layout;
      addLayer(cases, absl::StrCat("gqa_", layout), shape, is_long, 1, groupedAttention);
      addLayer(cases, absl::StrCat("mla_", layout), shape, is_long, 1, latentAttention);
      addLayer(cases, absl::StrCat("dense_", layout), shape, is_long, 1, denseMlp);
      shape.q_lora_rank = 32, shape.is_folded = true;
      addLayer(cases, absl::StrCat("mla_folded_", layout), shape, is_long, 1, latentAttention);
      shape.has_head_norms = true, shape.window = 6;
      addLayer(cases, absl::StrCat("gqa_norms_window_", layout), shape, is_long, 1,
               groupedAttention);
    }
  LayerShape shape;
  shape.cache = "bf16";
  addLayer(cases, "gqa_bf16_cache", shape, true, 3, groupedAttention);
  addLayer(cases, "mla_bf16_cache", shape, true, 3, latentAttention);
  shape.is_folded = true;
  addLayer(cases, "mla_folded_bf16_cache", shape, true, 3, latentAttention);
  for (const Routing &routing : {routings()[0], routings()[5], routings()[6]})
    for (const char *layout : {"bf16", "f8e4m3_128x128"})
      for (bool fused : {true, false})
        for (bool is_long : {false, true})
          addExpertLayer(cases, routing, layout, fused, is_long);
}

void addModelCases(Cases &cases) {
  for (const Family &family : families()) {
    addModel(cases, family, 2, {{1, 1}, {1, 1}, {1, 0}, {1, 1}});
    addModel(cases, family, 3, {{13, 1}, {1, 1}, {7, 7}, {5, 0}, {1, 1}});
  }
}

} // namespace lathe::conformance
