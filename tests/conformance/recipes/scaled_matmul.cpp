// Products with weights of codes, weight only and dynamic.
#include <cmath>

#include "tests/conformance/recipes/products.h"

namespace lathe::conformance {
namespace {

const char *const kFloatCodes[] = {
    "f8e4m3_128x128",      "f8e4m3_128x128_f8e8m0", "f8e4m3_1xall",      "f8e4m3_allxall",
    "f8e5m2_128x128",      "f8e4m3_1x128",          "f8e4m3_64x64_bf16", "f8e4m3_128x128_f16",
    "f8e5m2_allxall_bf16", "f8e4m3_16x32"};
const char *const kIntegerCodes[] = {"i8_1x32_f16", "i4_1x32_f16"};

// Columns of integer codes are whole blocks.
ProductShape wholeBlocks(ProductShape s) {
  s.k = (s.k + 31) / 32 * 32;
  return s;
}

void addWeightOnly(Cases &cases, const char *layout, const ProductShape &s, bool has_bias) {
  cases.push_back(
      {absl::StrCat("scaled_matmul/", layout, has_bias ? "_bias" : "", "/", productText(s)),
       stepsOf({s.rows}), [=](Body &b) {
         auto x = b.rows("x", s.k);
         auto weight = b.weight("weight", {s.n, s.k}, layout);
         auto bias = has_bias ? b.weight("bias", {s.n}, "f32") : mlir::Value();
         b.result(b.create<ir::ScaledMatmulOp>(b.rowsType(s.n), x, weight, bias),
                  sums(s.k, "f32 sums of k products with codes times scales"));
       }});
}

void addRounded(Cases &cases, const char *layout, std::vector<Step> steps, int64_t k, int64_t n) {
  cases.push_back(
      {absl::StrCat("scaled_matmul/", layout, "_bf16_rows/rows", rowsText(steps), "_k", k, "_n", n),
       steps, [=](Body &b) {
         auto x = b.rounded(b.rows("x", k));
         b.result(b.create<ir::ScaledMatmulOp>(b.rowsType(n), x, b.weight("weight", {n, k}, layout),
                                               mlir::Value()),
                  sums(k, "f32 sums of k products of bf16 with codes"));
       }});
}

// Rows become codes, too: w8a8.
void addCodes(Cases &cases, const std::string &name, const char *layout, const char *codes,
              const char *scale, int64_t block, std::vector<Step> steps, int64_t k, int64_t n,
              const Fill &fill, const char *why) {
  cases.push_back(
      {absl::StrCat("scaled_matmul/", layout, "_w8a8_", name, "/rows", rowsText(steps), "_k", k,
                    "_n", n),
       steps, [=](Body &b) {
         auto x =
             b.create<ir::QuantizeOp>(b.codesType(k, block, scale, codes), b.rows("x", k, fill));
         b.result(b.create<ir::ScaledMatmulOp>(b.rowsType(n), x, b.weight("weight", {n, k}, layout),
                                               mlir::Value()),
                  sums(k, why));
       }});
}

void addDynamic(Cases &cases, const char *layout, const char *scale, std::vector<Step> steps,
                int64_t k, int64_t n, const Fill &fill, const char *kind = "") {
  addCodes(cases, absl::StrCat(scale, kind), layout, "f8e4m3", scale, 128, std::move(steps), k, n,
           fill, "f32 sums of codes, block by block, and of blocks");
}

void addIntegers(Cases &cases, const char *layout, std::vector<Step> steps, int64_t k, int64_t n,
                 const Fill &fill, const char *kind = "") {
  addCodes(cases, absl::StrCat("i8", kind), layout, "i8", "f32", 32, std::move(steps), k, n, fill,
           "exact sums of a block, f32 sums of blocks");
}

void addNan(Cases &cases, const char *layout, int64_t rows) {
  Case made{absl::StrCat("scaled_matmul/", layout, "_nan_code/rows", rows), stepsOf({rows}),
            [=](Body &b) {
              // 0x7f in one row of the weight: that column of the result is NaN, no other.
              auto x = b.rows("x", 64);
              auto fill = [](const reference::Noise &noise, int64_t i, int64_t j) {
                return i == 3 && j == 5 ? NAN : static_cast<float>(noise(i, j));
              };
              auto weight = b.codes("weight", {20, 64}, layout, fill, constant(0.5F));
              b.result(b.create<ir::ScaledMatmulOp>(b.rowsType(20), x, weight, mlir::Value()),
                       sums(64, "f32 sums of k products, NaN where a code is NaN"));
            }};
  made.may_be_refused = true;
  cases.push_back(std::move(made));
}

} // namespace

void addScaledMatmulCases(Cases &cases) {
  for (const char *layout : kFloatCodes) {
    for (const ProductShape &shape : kProductShapes)
      addWeightOnly(cases, layout, shape, false);
    addWeightOnly(cases, layout, {3, 384, 160}, true);
    addWeightOnly(cases, layout, {1, 300, 131}, true);
    addRounded(cases, layout, stepsOf({5, 1}), 257, 40);
    addRounded(cases, layout, stepsOf({1}), 128, 130);
    addNan(cases, layout, 1);
    addNan(cases, layout, 6);
  }
  for (const char *layout : kIntegerCodes) {
    for (const ProductShape &shape : kProductShapes)
      addWeightOnly(cases, layout, wholeBlocks(shape), shape.rows == 3);
    addRounded(cases, layout, stepsOf({5, 1}), 256, 40);
  }
  for (const char *layout : {"f8e4m3_128x128", "f8e4m3_128x128_f8e8m0", "f8e4m3_1xall",
                             "f8e4m3_allxall", "f8e4m3_64x64_bf16", "f8e5m2_128x128"})
    for (const char *scale : {"f32", "f8e8m0"}) {
      addDynamic(cases, layout, scale, stepsOf({1}), 128, 64, uniform());
      addDynamic(cases, layout, scale, stepsOf({7, 1, 2}), 384, 160, uniform());
      addDynamic(cases, layout, scale, stepsOf({5, 1}), 300, 131, uniform());
      addDynamic(cases, layout, scale, stepsOf({37}), 64, 30, uniform());
      addDynamic(cases, layout, scale, stepsOf({3, 1}), 257, 17, outliers(), "_outliers");
    }
  for (const char *layout : {"i8_1x32_f16", "i4_1x32_f16", "f8e4m3_128x128"}) {
    addIntegers(cases, layout, stepsOf({1}), 128, 64, uniform());
    addIntegers(cases, layout, stepsOf({7, 1, 2}), 384, 160, uniform());
    addIntegers(cases, layout, stepsOf({5, 1}), 288, 131, uniform());
    addIntegers(cases, layout, stepsOf({37}), 64, 30, uniform());
    addIntegers(cases, layout, stepsOf({130}), 544, 17, outliers(), "_outliers");
  }
}

} // namespace lathe::conformance
