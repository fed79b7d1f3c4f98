// Mixture of experts, step by step: route, dispatch, experts, combine.
#include <algorithm>

#include "tests/conformance/recipes/experts.h"
#include "tests/conformance/recipes/products.h"

namespace lathe::conformance {
namespace {

// An exponential errs by the rounding of what it is of, which is as large as two logits.
Measure scores(double size) {
  return roundings(16 + 2 * size, "scores of exponentials, a sum, a quotient");
}

void addRoute(Cases &cases, const Routing &r, std::vector<Step> steps, const char *kind,
              double size, const Fill &logits, const Fill &bias = uniform(0.2)) {
  cases.push_back({absl::StrCat("moe_route/", r.name, kind, "/rows", rowsText(steps), "_experts",
                                r.experts, "_top", r.top_k),
                   steps, [=](Body &b) {
                     auto input = b.rows("logits", r.experts, logits);
                     auto weight =
                         r.has_bias ? b.weight("bias", {r.experts}, "f32", bias) : mlir::Value();
                     auto op = b.create<ir::MoeRouteOp>(
                         mlir::TypeRange{b.indicesType(r.top_k), b.rowsType(r.top_k)}, input,
                         weight, r.attribute(b));
                     b.result(op.getIndices(), exact("the choice is made of the same numbers"));
                     b.result(op.getWeights(), scores(size));
                   }});
}

// Pairs of experts have equal logits: the lower index comes first.
Fill ties() {
  return [](const reference::Noise &noise, int64_t i, int64_t j) {
    return static_cast<float>(noise(i, j / 2));
  };
}

using Choice = std::function<int32_t(const reference::Noise &, int64_t token, int64_t k)>;

Choice scattered(int64_t experts, int64_t top_k) {
  return [=](const reference::Noise &noise, int64_t token, int64_t k) {
    const auto first = below(experts)(noise, token, 0);
    return static_cast<int32_t>((first + k * std::max<int64_t>(1, experts / top_k)) % experts);
  };
}
// Everybody to the same experts, all others empty.
Choice crowded(int64_t experts) {
  return [=](const reference::Noise &, int64_t, int64_t k) {
    return static_cast<int32_t>(experts - 1 - k);
  };
}

void addDispatch(Cases &cases, const char *kind, std::vector<Step> steps, int64_t experts,
                 int64_t top_k, int64_t columns, const Choice &choice) {
  cases.push_back(
      {absl::StrCat("moe_dispatch/", kind, "/rows", rowsText(steps), "_experts", experts, "_top",
                    top_k, "_n", columns),
       steps, [=](Body &b) {
         auto input = b.rows("input", columns);
         auto indices = b.indices("indices", top_k, choice);
         auto offsets = mlir::RankedTensorType::get({experts + 1}, b.builder().getI32Type());
         auto op = b.create<ir::MoeDispatchOp>(
             mlir::TypeRange{b.rowsType(columns, "f32", top_k), b.indicesType(0, top_k), offsets},
             input, indices);
         b.result(op.getRows(), exact("copies"));
         b.result(op.getOrder(), exact("a stable sort"));
         b.result(op.getOffsets(), exact("a count"), /*has_constant_rows=*/true);
       }});
}

// Offsets of so many rows: all in order, none of the first experts, or all of one.
using Shares = std::function<int32_t(int64_t rows, int64_t e)>;

void addFfn(Cases &cases, const char *layout, ir::Activations activations, const char *kind,
            std::vector<Step> steps, int64_t experts, int64_t hidden, int64_t inner,
            const Shares &shares) {
  const std::string how = ir::stringifyActivations(activations).str();
  cases.push_back({absl::StrCat("expert_ffn/", layout, "_", how, "_", kind, "/rows",
                                rowsText(steps), "_experts", experts, "_h", hidden, "_f", inner),
                   steps, [=](Body &b) {
                     auto rows = b.rows("rows", hidden);
                     auto offsets = b.table("offsets", experts + 1, shares);
                     auto gate = b.stack("gate", {experts, inner, hidden}, layout, false),
                          up = b.stack("up", {experts, inner, hidden}, layout, true),
                          down = b.stack("down", {experts, hidden, inner}, layout, false);
                     auto op = b.create<ir::ExpertFfnOp>(b.rowsType(hidden), rows, offsets, gate,
                                                         up, down, activations);
                     b.result(op.getResult(), expertSums(hidden, inner, activations));
                   }});
}

void addCombine(Cases &cases, std::vector<Step> steps, int64_t top_k, int64_t columns) {
  cases.push_back(
      {absl::StrCat("moe_combine/f32/rows", rowsText(steps), "_top", top_k, "_n", columns), steps,
       [=](Body &b) {
         auto rows = b.rows("rows", columns, uniform(), top_k);
         const int64_t first = steps.front().rows;
         // A permutation of the pairs whatever the rows: the step backwards.
         auto order = b.indices(
             "order", 0,
             [=](const reference::Noise &, int64_t i, int64_t) {
               return static_cast<int32_t>(first * top_k - 1 - i);
             },
             top_k);
         auto weights = b.rows("weights", top_k, around(0.5, 0.5));
         b.result(b.create<ir::MoeCombineOp>(b.rowsType(columns), rows, order, weights),
                  sums(top_k, "f32 sums of top_k products"));
       }});
}

} // namespace

void addMoeCases(Cases &cases) {
  for (const Routing &r : routings()) {
    addRoute(cases, r, stepsOf({1}), "", 3, uniform(3));
    addRoute(cases, r, stepsOf({9, 1}), "", 3, uniform(3));
    addRoute(cases, r, stepsOf({5, 1}), "_ties", 1, ties());
    addRoute(cases, r, stepsOf({3}), "_equal", 1, constant(0.25F), constant(0));
    addRoute(cases, r, stepsOf({3}), "_large", 60, uniform(60));
  }
  for (int64_t columns : {1, 24, 131})
    for (int64_t top_k : {1, 2, 4}) {
      addDispatch(cases, "scattered", stepsOf({1}), 8, top_k, columns, scattered(8, top_k));
      addDispatch(cases, "scattered", stepsOf({9, 2}), 8, top_k, columns, scattered(8, top_k));
      addDispatch(cases, "crowded", stepsOf({7, 1}), 17, top_k, columns, crowded(17));
      addCombine(cases, stepsOf({1}), top_k, columns);
      addCombine(cases, stepsOf({6}), top_k, columns);
    }
  addDispatch(cases, "one", stepsOf({5, 1}), 1, 1, 24, crowded(1));
  const Shares even = [](int64_t rows, int64_t e) { return static_cast<int32_t>(rows * e / 4); };
  const Shares last = [](int64_t rows, int64_t e) {
    return static_cast<int32_t>(e == 4 ? rows : 0);
  };
  for (const char *layout : {"f32", "bf16", "f8e4m3_128x128", "i8_1x32_f16"}) {
    addFfn(cases, layout, ir::Activations::f32, "even", stepsOf({11, 4}), 4, 64, 32, even);
    addFfn(cases, layout, ir::Activations::f32, "crowded", stepsOf({7, 1}), 4, 160, 96, last);
    addFfn(cases, layout, ir::Activations::bf16, "even", stepsOf({6, 1}), 4, 64, 96, even);
  }
  for (ir::Activations how : {ir::Activations::w8a8, ir::Activations::w8a8_ue8m0}) {
    addFfn(cases, "f8e4m3_128x128", how, "even", stepsOf({6, 1}), 4, 160, 144, even);
    addFfn(cases, "f8e4m3_128x128", how, "crowded", stepsOf({6, 1}), 4, 64, 96, last);
  }
  addFfn(cases, "i8_1x32_f16", ir::Activations::w8a8_i8, "even", stepsOf({6, 1}), 4, 160, 96, even);
  addFfn(cases, "i4_1x32_f16", ir::Activations::w8a8_i8, "crowded", stepsOf({6, 1}), 4, 64, 96,
         last);
}

} // namespace lathe::conformance
