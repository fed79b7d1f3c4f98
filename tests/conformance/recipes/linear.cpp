// Products with weights of floats and of codes.
#include "tests/conformance/recipes/products.h"

namespace lathe::conformance {
namespace {

void addLinear(Cases &cases, const char *layout, const ProductShape &s, bool has_bias,
               const char *kind = "", const Fill &fill = uniform(), const Fill &weights = {}) {
  cases.push_back(
      {absl::StrCat("linear/", layout, has_bias ? "_bias" : "", kind, "/", productText(s)),
       stepsOf({s.rows}), [=](Body &b) {
         auto x = b.rows("x", s.k, fill);
         auto weight = b.weight("weight", {s.n, s.k}, layout, weights);
         auto bias = has_bias ? b.weight("bias", {s.n}, layout) : mlir::Value();
         b.result(b.create<ir::LinearOp>(b.rowsType(s.n), x, weight, bias),
                  sums(s.k, "f32 sums of k products"));
       }});
}

// Rows that the product takes in bf16.
void addRounded(Cases &cases, const char *layout, std::vector<Step> steps, int64_t k, int64_t n) {
  cases.push_back(
      {absl::StrCat("linear/", layout, "_bf16_rows/rows", rowsText(steps), "_k", k, "_n", n), steps,
       [=](Body &b) {
         auto x = b.rounded(b.rows("x", k));
         b.result(b.create<ir::LinearOp>(b.rowsType(n), x, b.weight("weight", {n, k}, layout),
                                         mlir::Value()),
                  sums(k, "f32 sums of k products of bf16"));
       }});
}

void addFused(Cases &cases, const char *first, const char *second, std::vector<Step> steps,
              int64_t k, std::vector<int64_t> outs, bool has_biases) {
  std::string name = absl::StrCat("fused_linear/", first, "_", second, has_biases ? "_bias" : "",
                                  "/rows", rowsText(steps), "_k", k, "_n");
  for (size_t i = 0; i < outs.size(); ++i)
    absl::StrAppend(&name, i ? "x" : "", outs[i]);
  cases.push_back({name, steps, [=](Body &b) {
                     auto x = b.rows("x", k);
                     std::vector<mlir::Value> weights, biases;
                     std::vector<mlir::Type> types;
                     for (size_t i = 0; i < outs.size(); ++i) {
                       types.push_back(b.rowsType(outs[i]));
                       weights.push_back(b.weight(absl::StrCat("weight", i), {outs[i], k},
                                                  i == 0 ? first : second));
                       if (has_biases)
                         biases.push_back(b.weight(absl::StrCat("bias", i), {outs[i]}, "f32"));
                     }
                     auto op = b.create<ir::FusedLinearOp>(types, x, weights, biases);
                     for (mlir::Value result : op.getResults())
                       b.result(result, sums(k, "f32 sums of k products"));
                   }});
}

void addGated(Cases &cases, const char *layout, std::vector<Step> steps, int64_t k, int64_t n,
              bool has_biases) {
  cases.push_back(
      {absl::StrCat("gated_linear/", layout, has_biases ? "_bias" : "", "/rows", rowsText(steps),
                    "_k", k, "_n", n),
       steps, [=](Body &b) {
         auto x = b.rows("x", k);
         auto gate = b.weight("gate", {n, k}, layout), up = b.weight("up", {n, k}, layout);
         mlir::Value gate_bias, up_bias;
         if (has_biases)
           gate_bias = b.weight("gate_bias", {n}, "f32"),
           up_bias = b.weight("up_bias", {n}, "f32", uniform());
         b.result(b.create<ir::GatedLinearOp>(b.rowsType(n), x, gate, up, gate_bias, up_bias),
                  gatedSums(k));
       }});
}

} // namespace

void addLinearCases(Cases &cases) {
  for (const char *layout : {"f32", "bf16", "f16"}) {
    for (const ProductShape &shape : kProductShapes) {
      addLinear(cases, layout, shape, false);
      if (shape.rows < 9)
        addLinear(cases, layout, shape, true);
    }
    addLinear(cases, layout, {4, 96, 33}, false, "_outliers", outliers());
    addLinear(cases, layout, {1, 96, 33}, false, "_zeros", constant(0));
    // Below the smallest normal number of f16.
    addLinear(cases, layout, {3, 96, 33}, false, "_small", uniform(1e5), uniform(2e-6));
    addRounded(cases, layout, stepsOf({1}), 130, 65);
    addRounded(cases, layout, stepsOf({9, 1, 4}), 257, 48);
    addRounded(cases, layout, stepsOf({40, 3}), 64, 130);
    for (bool has_biases : {false, true}) {
      addGated(cases, layout, stepsOf({1}), 64, 96, has_biases);
      addGated(cases, layout, stepsOf({1}), 131, 17, has_biases);
      addGated(cases, layout, stepsOf({5, 1}), 130, 65, has_biases);
      addGated(cases, layout, stepsOf({35, 16}), 48, 40, has_biases);
    }
  }
  for (const auto &[first, second] : {std::pair{"bf16", "bf16"},
                                      {"f32", "bf16"},
                                      {"bf16", "f8e4m3_128x128"},
                                      {"f8e4m3_128x128", "f8e4m3_128x128"},
                                      {"i8_1x32_f16", "i4_1x32_f16"}})
    for (bool has_biases : {false, true}) {
      addFused(cases, first, second, stepsOf({1}), 64, {24, 40}, has_biases);
      addFused(cases, first, second, stepsOf({7, 1}), 160, {33, 1, 17}, has_biases);
      addFused(cases, first, second, stepsOf({20}), 160, {1, 130}, has_biases);
    }
  for (const char *layout : {"f8e4m3_128x128", "f8e4m3_1xall", "i8_1x32_f16", "i4_1x32_f16"}) {
    addGated(cases, layout, stepsOf({1}), 160, 144, false);
    addGated(cases, layout, stepsOf({6, 1}), 160, 33, true);
    addGated(cases, layout, stepsOf({36}), 64, 130, false);
  }
}

} // namespace lathe::conformance
