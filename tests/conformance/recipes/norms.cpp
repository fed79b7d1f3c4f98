// Norms, of whole rows and of heads.
#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

void addRmsNorm(Cases &cases, const char *scale, int64_t rows, int64_t columns, int64_t groups,
                float epsilon, const char *kind, const Fill &fill) {
  cases.push_back(
      {absl::StrCat("rms_norm/", scale, kind, "/rows", rows, "_n", columns, "_groups", groups),
       stepsOf({rows}), [=](Body &b) {
         auto input = b.rows("input", columns, fill);
         auto weight = b.weight("scale", {columns / groups}, scale);
         b.result(b.create<ir::RmsNormOp>(b.rowsType(columns), input, weight, b.f32(epsilon)),
                  roundings(4, "a mean in f32 or wider, a root, two products"));
       }});
}

} // namespace

void addNormCases(Cases &cases) {
  for (const char *scale : {"f32", "bf16", "f16"})
    for (int64_t rows : {1, 3, 17})
      for (int64_t columns : {1, 5, 64, 130, 257})
        addRmsNorm(cases, scale, rows, columns, 1, 1e-5F, "", uniform());
}

} // namespace lathe::conformance
