// Latent attention in all forms, and its folds: prefill in chunks and decode on one state.
#include <cmath>

#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

struct Dims {
  int64_t heads = 4, nope = 16, rope = 8, value = 12, latent = 32;
};

std::string text(const Dims &d) {
  return absl::StrCat("heads", d.heads, "_nope", d.nope, "_rope", d.rope, "_v", d.value, "_c",
                      d.latent);
}

struct Context {
  const char *cache = "f32";
  std::vector<Step> steps;
  int64_t context = 64, slots = 1;
  const char *kind = "";
  bool rounded = false; // the query is bf16, so whatever is multiplied may be
};

// Keys and values are sums over latents themselves.
Measure attended(const Dims &d, const Context &c) {
  Measure measure = sums(c.context + d.nope + d.rope + d.latent,
                         "softmax of f32 dot products, f32 sums over latents and keys");
  measure.of_row *= 4;
  measure.of_value *= 4;
  measure.conversions = 4;
  return c.rounded ? mayRoundToBf16(measure) : measure;
}

mlir::IntegerAttr whole(Body &b, int64_t value) { return b.builder().getI64IntegerAttr(value); }

mlir::FloatAttr scaleOf(Body &b, const Dims &d) {
  return b.f32(1 / std::sqrt(static_cast<double>(d.nope + d.rope)));
}

void addWithWeight(Cases &cases, ir::MlaForm form, const char *layout, const Dims &d,
                   const Context &c) {
  Case made{
      absl::StrCat("mla_attention/", ir::stringifyMlaForm(form).str(), "_", layout, "_", c.cache,
                   c.kind, c.rounded ? "_bf16_query" : "", "/rows", rowsText(c.steps), "_", text(d),
                   c.slots > 1 ? absl::StrCat("_slots", c.slots) : ""),
      c.steps, [=](Body &b) {
        mlir::Value query = b.rows("query", d.heads * (d.nope + d.rope));
        if (c.rounded)
          query = b.rounded(query);
        auto latent = b.rows("latent", d.latent + d.rope);
        auto slots = b.slots(), positions = b.positions();
        auto cache = b.latentCache(c.context, d.latent, d.rope, c.cache);
        auto kv_b = b.weight("kv_b", {d.heads * (d.nope + d.value), d.latent}, layout);
        auto op = b.create<ir::MlaAttentionOp>(
            mlir::TypeRange{b.rowsType(d.heads * d.value), cache.getType()}, query, latent, slots,
            positions, cache, kv_b, whole(b, d.heads), whole(b, d.nope), whole(b, d.rope),
            whole(b, d.value), scaleOf(b, d), ir::MlaFormAttr::get(b.builder().getContext(), form));
        b.result(op.getResult(), attended(d, c));
        b.giveCache(op.getUpdated());
      }};
  made.slots = c.slots;
  cases.push_back(std::move(made));
}

// Query and result in latent space: both folds stand outside.
void addFolded(Cases &cases, const Dims &d, const Context &c) {
  Case made{absl::StrCat("mla_attention/folded_", c.cache, c.kind, "/rows", rowsText(c.steps), "_",
                         text(d), c.slots > 1 ? absl::StrCat("_slots", c.slots) : ""),
            c.steps, [=](Body &b) {
              auto query = b.rows("query", d.heads * (d.latent + d.rope));
              auto latent = b.rows("latent", d.latent + d.rope);
              auto slots = b.slots(), positions = b.positions();
              auto cache = b.latentCache(c.context, d.latent, d.rope, c.cache);
              auto op = b.create<ir::MlaAttentionOp>(
                  mlir::TypeRange{b.rowsType(d.heads * d.latent), cache.getType()}, query, latent,
                  slots, positions, cache, mlir::Value(), whole(b, d.heads), whole(b, d.nope),
                  whole(b, d.rope), whole(b, d.value), scaleOf(b, d),
                  ir::MlaFormAttr::get(b.builder().getContext(), ir::MlaForm::absorbed));
              b.result(op.getResult(), attended(d, c));
              b.giveCache(op.getUpdated());
            }};
  made.slots = c.slots;
  cases.push_back(std::move(made));
}

void addAbsorbQuery(Cases &cases, const char *layout, std::vector<Step> steps, const Dims &d) {
  cases.push_back({absl::StrCat("absorb_query/", layout, "/rows", rowsText(steps), "_", text(d)),
                   steps, [=](Body &b) {
                     auto input = b.rows("input", d.heads * (d.nope + d.rope));
                     auto kv_b = b.weight("kv_b", {d.heads * (d.nope + d.value), d.latent}, layout);
                     b.result(b.create<ir::AbsorbQueryOp>(b.rowsType(d.heads * (d.latent + d.rope)),
                                                          input, kv_b, d.heads, d.nope, d.rope,
                                                          d.value),
                              sums(d.nope, "f32 sums over qk_nope_head_dim"));
                   }});
}

void addExpandValue(Cases &cases, const char *layout, std::vector<Step> steps, const Dims &d) {
  cases.push_back({absl::StrCat("expand_value/", layout, "/rows", rowsText(steps), "_", text(d)),
                   steps, [=](Body &b) {
                     auto input = b.rows("input", d.heads * d.latent);
                     auto kv_b = b.weight("kv_b", {d.heads * (d.nope + d.value), d.latent}, layout);
                     b.result(b.create<ir::ExpandValueOp>(b.rowsType(d.heads * d.value), input,
                                                          kv_b, d.heads, d.nope, d.rope, d.value),
                              sums(d.latent, "f32 sums over kv_lora_rank"));
                   }});
}

} // namespace

void addMlaCases(Cases &cases) {
  const Dims shapes[] = {{1, 8, 4, 8, 16},     {4, 16, 8, 12, 32}, {3, 5, 2, 7, 33},
                         {2, 32, 16, 32, 128}, {16, 8, 4, 8, 24},  {2, 128, 64, 128, 64}};
  for (const Dims &d : shapes) {
    for (ir::MlaForm form :
         {ir::MlaForm::unspecified, ir::MlaForm::materialised, ir::MlaForm::absorbed}) {
      addWithWeight(cases, form, "bf16", d, {"f32", stepsOf({1, 1, 1})});
      addWithWeight(cases, form, "bf16", d, {"f32", stepsOf({11, 6, 1, 1})});
    }
    addWithWeight(cases, ir::MlaForm::materialised, "f32", d, {"bf16", stepsOf({13, 1, 5})});
    addWithWeight(cases, ir::MlaForm::materialised, "bf16", d, {"f32", stepsOf({9, 2, 3}), 64, 3});
    addWithWeight(cases, ir::MlaForm::materialised, "bf16", d,
                  {"f32", stepsOf({17, 5, 1}), 23, 1, "_full"});
    for (const char *cache : {"f32", "bf16"})
      addWithWeight(cases, ir::MlaForm::materialised, "bf16", d,
                    {cache, stepsOf({17, 5, 1}), 64, 1, "", true});
    for (const char *cache : {"f32", "bf16"}) {
      addFolded(cases, d, {cache, stepsOf({1, 1, 1})});
      addFolded(cases, d, {cache, stepsOf({11, 6, 1, 1})});
      addFolded(cases, d, {cache, stepsOf({17, 5, 1}), 23, 1, "_full"});
    }
    addFolded(cases, d, {"f32", stepsOf({9, 2, 3}), 64, 3});
    for (const char *layout : {"f32", "bf16", "f8e4m3_128x128"}) {
      addAbsorbQuery(cases, layout, stepsOf({1}), d);
      addAbsorbQuery(cases, layout, stepsOf({7, 1}), d);
      addExpandValue(cases, layout, stepsOf({1}), d);
      addExpandValue(cases, layout, stepsOf({7, 1}), d);
    }
  }
  const Dims usual{4, 16, 8, 12, 32};
  addWithWeight(cases, ir::MlaForm::materialised, "f8e4m3_128x128", usual,
                {"f32", stepsOf({9, 1})});
  addWithWeight(cases, ir::MlaForm::materialised, "f8e4m3_128x128", {2, 128, 64, 128, 160},
                {"bf16", stepsOf({9, 1})});
  // Contexts longer than the pieces that kernels go in.
  for (const char *cache : {"f32", "bf16"}) {
    addFolded(cases, usual, {cache, stepsOf({700, 1, 1, 40}), 1024, 1, "_long"});
    addWithWeight(cases, ir::MlaForm::materialised, "bf16", usual,
                  {cache, stepsOf({300, 1, 70}), 512, 1, "_long"});
  }
  // Kernels for whole fractals take no others: many heads, few rows, keys beyond a block.
  const Dims whole{20, 16, 16, 16, 48};
  addFolded(cases, whole, {"f32", stepsOf({11, 6, 1, 1})});
  addFolded(cases, whole, {"bf16", stepsOf({9, 2, 3}), 64, 3});
  addFolded(cases, whole, {"f32", stepsOf({300, 1, 1, 40}), 1024, 1, "_long"});
  addFolded(cases, {34, 16, 16, 16, 144}, {"f32", stepsOf({520, 1, 3}), 576, 1, "_long"});
  addWithWeight(cases, ir::MlaForm::materialised, "bf16", whole,
                {"bf16", stepsOf({300, 1, 70}), 512, 1, "_long"});
}

} // namespace lathe::conformance
