// A whole routed layer as one op: what backends have kernels for.
#include "tests/conformance/recipes/experts.h"

namespace lathe::conformance {
namespace {

struct Layer {
  const char *layout = "bf16";
  ir::Activations activations = ir::Activations::f32;
  std::vector<Step> steps;
  int64_t hidden = 64, inner = 32;
  bool separate = false;
  const char *kind = "";
  Fill router = {}, bias = uniform(0.2);
  const char *router_layout = "f32";
  double logits = 1; // their size: weights of experts err by as many times their rounding
};

void add(Cases &cases, const Routing &r, const Layer &l) {
  const std::string how = ir::stringifyActivations(l.activations).str();
  cases.push_back(
      {absl::StrCat("fused_experts/", r.name, "_", l.layout, "_", how, l.kind, "/rows",
                    rowsText(l.steps), "_experts", r.experts, "_top", r.top_k, "_h", l.hidden, "_f",
                    l.inner),
       l.steps, [=](Body &b) {
         auto input = b.rows("input", l.hidden);
         auto router = b.weight("router", {r.experts, l.hidden}, l.router_layout, l.router);
         auto stack = [&](const char *name, int64_t rows, int64_t columns) {
           return b.stack(name, {r.experts, rows, columns}, l.layout, l.separate);
         };
         auto gate = stack("gate", l.inner, l.hidden), up = stack("up", l.inner, l.hidden),
              down = stack("down", l.hidden, l.inner);
         auto bias = r.has_bias ? b.weight("bias", {r.experts}, "f32", l.bias) : mlir::Value();
         auto op = b.create<ir::FusedExpertsOp>(b.rowsType(l.hidden), input, router, gate, up, down,
                                                bias, r.attribute(b), l.activations);
         Measure measure = expertSums(l.hidden, l.inner, l.activations);
         measure.of_row += l.logits * 0x1p-22;
         b.result(op.getResult(), measure);
       }});
}

// Rows of the router are equal in pairs: the lower index of a pair is chosen first.
Fill twins() {
  return [](const reference::Noise &noise, int64_t i, int64_t j) {
    return static_cast<float>(noise(i / 2, j) / 4);
  };
}

// Every group of four has the same rows: groups tie, and so do experts of different groups.
Fill mirrored() {
  return [](const reference::Noise &noise, int64_t i, int64_t j) {
    return static_cast<float>(noise(i % 4, j) / 4);
  };
}

// Logits of some hundred: their exponentials are no f32 numbers.
Fill huge() {
  return [](const reference::Noise &noise, int64_t i, int64_t j) {
    return static_cast<float>(64 * noise(i, j));
  };
}

// Everybody likes the last two experts; what is left over is far below.
Fill crowd() {
  return [](const reference::Noise &noise, int64_t i, int64_t) {
    return static_cast<float>(i >= 6 ? 8 + noise(i, 0) / 4 : noise(i, 0) / 4);
  };
}

} // namespace

void addFusedExpertCases(Cases &cases) {
  using ir::Activations;
  for (const Routing &r : routings()) {
    const bool many = r.experts > 100;
    const int64_t hidden = many ? 32 : 64, inner = many ? 16 : 32;
    add(cases, r, {"bf16", Activations::f32, stepsOf({1}), hidden, inner});
    add(cases, r, {"bf16", Activations::f32, stepsOf({9, 1, 2}), hidden, inner, true});
    add(cases, r, {"f32", Activations::f32, stepsOf({5}), hidden, inner, false, "_twins", twins()});
    add(cases, r,
        {"bf16",
         Activations::f32,
         stepsOf({5, 1}),
         hidden,
         inner,
         false,
         "_bf16_router",
         {},
         uniform(0.2),
         "bf16"});
  }
  for (const Routing &r : {routings()[0], routings()[5], routings()[6]}) {
    add(cases, r,
        {"bf16", Activations::f32, stepsOf({5, 1}), 64, 32, false, "_mirrored", mirrored(),
         constant(0.125F)});
    add(cases, r,
        {"bf16", Activations::f32, stepsOf({5, 1}), 64, 32, false, "_huge", huge(), uniform(0.2),
         "f32", 4000});
  }
  for (const Routing &r : {routings()[0], routings()[6]})
    for (const char *layout : {"f32", "bf16", "f16", "f8e4m3_128x128", "f8e4m3_128x128_f8e8m0",
                               "f8e4m3_1xall", "i8_1x32_f16", "i4_1x32_f16"}) {
      add(cases, r, {layout, Activations::f32, stepsOf({1}), 160, 96, true});
      add(cases, r, {layout, Activations::f32, stepsOf({7, 1}), 160, 96, false});
      add(cases, r, {layout, Activations::bf16, stepsOf({4, 1}), 160, 96, false});
      add(cases, r, {layout, Activations::f32, stepsOf({40, 17}), 64, 160, false});
    }
  for (Activations how : {Activations::w8a8, Activations::w8a8_ue8m0})
    for (const char *layout : {"f8e4m3_128x128", "f8e4m3_128x128_f8e8m0"})
      for (const Routing &r : {routings()[0], routings()[5], routings()[6]}) {
        add(cases, r, {layout, how, stepsOf({1}), 160, 144});
        add(cases, r, {layout, how, stepsOf({6, 1}), 64, 96});
      }
  for (const char *layout : {"i8_1x32_f16", "i4_1x32_f16"})
    for (const Routing &r : {routings()[0], routings()[5], routings()[6]}) {
      add(cases, r, {layout, Activations::w8a8_i8, stepsOf({1}), 160, 96});
      add(cases, r, {layout, Activations::w8a8_i8, stepsOf({40, 1}), 64, 96});
    }
  // A router that is worth the threads of a decode step.
  for (Activations how : {Activations::f32, Activations::bf16})
    add(cases, {"plain", ir::RouteScore::softmax, 130, 6},
        {"bf16", how, stepsOf({1, 3}), 520, 16, true, "_wide_router"});
  for (const char *layout : {"f32", "bf16"}) {
    add(cases, routings()[0],
        {layout, Activations::f32, stepsOf({12, 1}), 64, 32, false, "_crowd", crowd(), uniform(0.2),
         "f32", 120});
    add(cases, routings()[0], {layout, Activations::f32, stepsOf({7, 1}), 33, 17, false, "_odd"});
  }
}

} // namespace lathe::conformance
