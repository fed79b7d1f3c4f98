// Products with weights of floats and of codes.
#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

struct Shape {
  int64_t rows, k, n;
};

void addLinear(Cases &cases, const char *layout, const Shape &s, bool has_bias) {
  cases.push_back({absl::StrCat("linear/", layout, has_bias ? "_bias" : "", "/rows", s.rows, "_k",
                                s.k, "_n", s.n),
                   stepsOf({s.rows}), [=](Body &b) {
                     auto x = b.rows("x", s.k);
                     auto weight = b.weight("weight", {s.n, s.k}, layout);
                     auto bias = has_bias ? b.weight("bias", {s.n}, layout) : mlir::Value();
                     b.result(b.create<ir::LinearOp>(b.rowsType(s.n), x, weight, bias),
                              sums(s.k, "f32 sums of k products"));
                   }});
}

} // namespace

void addLinearCases(Cases &cases) {
  for (const char *layout : {"f32", "bf16", "f16"})
    for (const Shape &shape : {Shape{1, 1, 1}, Shape{3, 130, 257}, Shape{1, 64, 96}})
      for (bool has_bias : {false, true})
        addLinear(cases, layout, shape, has_bias);
}

} // namespace lathe::conformance
