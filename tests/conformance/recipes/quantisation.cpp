// Between floats and codes. Codes stay inside of a program, so quantize is seen through a product
// with the identity, which gives code times scale.
#include <cmath>

#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

void addQuantize(Cases &cases, const char *name, const char *codes, const char *scale,
                 int64_t block, std::vector<Step> steps, int64_t columns, const char *kind,
                 const Fill &fill) {
  cases.push_back(
      {absl::StrCat("quantize/", name, "_1x", block, kind, "/rows", rowsText(steps), "_n", columns),
       steps, [=](Body &b) {
         auto quantised = b.create<ir::QuantizeOp>(b.codesType(columns, block, scale, codes),
                                                   b.rows("input", columns, fill));
         b.result(b.create<ir::ScaledMatmulOp>(b.rowsType(columns), quantised, b.identity(columns),
                                               mlir::Value()),
                  exact("scales and codes are f32 numbers rounded once each"));
       }});
}

// To e4m3; cases are named by their scales.
void addFloats(Cases &cases, const char *scale, int64_t block, std::vector<Step> steps,
               int64_t columns, const char *kind, const Fill &fill) {
  addQuantize(cases, scale, "f8e4m3", scale, block, std::move(steps), columns, kind, fill);
}

void addIntegers(Cases &cases, int64_t block, std::vector<Step> steps, int64_t columns,
                 const char *kind, const Fill &fill) {
  addQuantize(cases, "i8", "i8", "f32", block, std::move(steps), columns, kind, fill);
}

// Numbers that stand between two codes when the largest of the block is 448.
Fill halfWay() {
  return [](const reference::Noise &noise, int64_t i, int64_t j) {
    if (j % 16 == 0)
      return 448.0F;
    const float middle = static_cast<float>(17 + 2 * (j % 8)); // halfway between 16 and 18, ...
    return noise(i, j) < 0 ? -middle : middle;
  };
}

// The same for integers.
Fill halfWayOfIntegers() {
  return [](const reference::Noise &noise, int64_t i, int64_t j) {
    if (j % 16 == 0)
      return 127.0F;
    const float middle = static_cast<float>(j % 8) + 0.5F;
    return noise(i, j) < 0 ? -middle : middle;
  };
}

void addDequantize(Cases &cases, const char *layout, const char *element, int64_t n, int64_t k) {
  cases.push_back(
      {absl::StrCat("dequantize/", layout, "_", element, "/n", n, "_k", k), stepsOf({1, 3}),
       [=](Body &b) {
         auto codes = b.weight("codes", {n, k}, layout);
         auto type =
             mlir::RankedTensorType::get({n, k}, elementNamed(b.builder().getContext(), element));
         auto weight = b.create<ir::DequantizeOp>(type, codes);
         b.result(b.create<ir::LinearOp>(b.rowsType(n), b.rows("x", k), weight, mlir::Value()),
                  sums(k, "f32 sums of k products"));
       }});
}

// Of a weight alone, and so a single op.
void addDequantizeAlone(Cases &cases, const char *layout, int64_t n, int64_t k) {
  cases.push_back(
      {absl::StrCat("dequantize/", layout, "_alone/n", n, "_k", k), stepsOf({1}), [=](Body &b) {
         auto type = mlir::RankedTensorType::get({n, k}, b.builder().getF32Type());
         b.result(b.create<ir::DequantizeOp>(type, b.weight("codes", {n, k}, layout)),
                  exact("one product in f32"), /*has_constant_rows=*/true);
       }});
}

} // namespace

void addQuantisationCases(Cases &cases) {
  for (const char *scale : {"f32", "f8e8m0"}) {
    for (int64_t columns : {1, 16, 127, 128, 129, 300, 384}) {
      addFloats(cases, scale, 128, stepsOf({1}), columns, "", uniform());
      addFloats(cases, scale, 128, stepsOf({5, 1, 2}), columns, "", uniform(30));
      addFloats(cases, scale, 128, stepsOf({3, 1}), columns, "_wide", wide());
      addFloats(cases, scale, 128, stepsOf({1, 2}), columns, "_zeros", constant(0));
      addFloats(cases, scale, 128, stepsOf({1, 2}), columns, "_tiny", uniform(1e-6));
      addFloats(cases, scale, 128, stepsOf({1, 2}), columns, "_half_way", halfWay());
      addFloats(cases, scale, 128, stepsOf({1, 2}), columns, "_outliers", outliers());
    }
    for (int64_t block : {1, 32, 64})
      addFloats(cases, scale, block, stepsOf({1, 4}), 160, "", uniform());
  }
  for (int64_t columns : {1, 31, 32, 33, 160, 300}) {
    addIntegers(cases, 32, stepsOf({1}), columns, "", uniform());
    addIntegers(cases, 32, stepsOf({5, 1, 2}), columns, "_wide", wide());
    addIntegers(cases, 32, stepsOf({1, 2}), columns, "_zeros", constant(0));
    addIntegers(cases, 32, stepsOf({1, 2}), columns, "_half_way", halfWayOfIntegers());
  }
  for (int64_t block : {1, 48, 128})
    addIntegers(cases, block, stepsOf({1, 4}), 160, "", uniform());
  for (const char *layout : {"f8e4m3_128x128", "f8e4m3_1xall", "f8e5m2_allxall", "i8_1x32_f16",
                             "i4_1x32_f16", "f8e4m3_128x128_f8e8m0"}) {
    addDequantizeAlone(cases, layout, 5, 64);
    addDequantizeAlone(cases, layout, 130, 160);
    for (const char *element : {"f32", "bf16"})
      addDequantize(cases, layout, element, 131, 160);
  }
}

} // namespace lathe::conformance
