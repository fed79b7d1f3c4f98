// Weights in every way that they are read: cut, stacked, converted on the way.
#include "tests/conformance/recipes/products.h"

namespace lathe::conformance {
namespace {

void addCut(Cases &cases, const char *layout, const char *stored, int64_t begin, int64_t n,
            int64_t of) {
  cases.push_back(
      {absl::StrCat("weight/", layout, "_of_", stored, "/rows", begin, "to", begin + n, "of", of),
       stepsOf({3, 1}), [=](Body &b) {
         const int64_t k = 160;
         auto x = b.rows("x", k);
         auto weight = b.cut("weight", {n, k}, layout, stored, begin, of);
         const bool is_codes = mlir::isa<ir::QuantizedType>(weight.getType());
         mlir::Value product =
             is_codes
                 ? b.create<ir::ScaledMatmulOp>(b.rowsType(n), x, weight, mlir::Value()).getResult()
                 : b.create<ir::LinearOp>(b.rowsType(n), x, weight, mlir::Value()).getResult();
         b.result(product, sums(k, "f32 sums of k products"));
       }});
}

} // namespace

void addWeightCases(Cases &cases) {
  for (const char *layout : {"f32", "bf16", "f16"}) {
    addCut(cases, layout, layout, 0, 24, 40);
    addCut(cases, layout, layout, 24, 16, 40);
    addCut(cases, layout, layout, 7, 1, 131);
  }
  // Blocks of scales are cut with their rows.
  addCut(cases, "f8e4m3_128x128", "f8e4m3_128x128", 0, 128, 300);
  addCut(cases, "f8e4m3_128x128", "f8e4m3_128x128", 128, 172, 300);
  addCut(cases, "f8e4m3_1xall", "f8e4m3_1xall", 5, 20, 40);
  // Converted when a model is compiled.
  for (const char *stored : {"f32", "bf16", "f16"})
    for (const char *layout : {"f8e4m3_128x128", "f8e4m3_1xall", "i8_1x32_f16", "i4_1x32_f16"}) {
      addCut(cases, layout, stored, 0, 144, 144);
      addCut(cases, layout, stored, 33, 20, 60);
    }
  addCut(cases, "bf16", "f32", 0, 33, 33);
  addCut(cases, "bf16", "f8e4m3_128x128", 0, 130, 130);
  addCut(cases, "i8_1x32_f16", "f8e4m3_128x128", 0, 130, 130);
  addCut(cases, "i4_1x32_f16", "f8e4m3_128x128", 0, 130, 130);
  addCut(cases, "f8e4m3_128x128", "f8e4m3_1xall", 0, 130, 130);
}

} // namespace lathe::conformance
