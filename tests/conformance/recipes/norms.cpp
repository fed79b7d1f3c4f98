// Norms, of whole rows and of heads.
#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

struct Norm {
  const char *scale = "f32";
  std::vector<Step> steps;
  int64_t columns = 64, groups = 1;
  double epsilon = 1e-5;
  const char *kind = "";
  Fill fill = uniform();
};

void add(Cases &cases, const Norm &norm) {
  cases.push_back({absl::StrCat("rms_norm/", norm.scale, norm.kind, "/rows", rowsText(norm.steps),
                                "_n", norm.columns, "_groups", norm.groups),
                   norm.steps, [=](Body &b) {
                     auto input = b.rows("input", norm.columns, norm.fill);
                     auto scale = b.weight("scale", {norm.columns / norm.groups}, norm.scale);
                     b.result(b.create<ir::RmsNormOp>(b.rowsType(norm.columns), input, scale,
                                                      b.f32(norm.epsilon)),
                              roundings(6, "a mean in f32 or wider, a root, two products"));
                   }});
}

} // namespace

void addNormCases(Cases &cases) {
  for (const char *scale : {"f32", "bf16", "f16"})
    for (int64_t columns : {1, 5, 64, 130, 257, 1024}) {
      add(cases, {scale, stepsOf({1}), columns});
      add(cases, {scale, stepsOf({17, 3}), columns});
    }
  for (int64_t groups : {2, 3, 16})
    for (int64_t head : {1, 8, 24, 65}) {
      add(cases, {"f32", stepsOf({1}), groups * head, groups});
      add(cases, {"bf16", stepsOf({6}), groups * head, groups});
    }
  for (int64_t columns : {5, 64, 130}) {
    // A row of zeros is epsilon's alone; tiny rows are, too.
    add(cases, {"f32", stepsOf({1, 3}), columns, 1, 1e-6, "_zeros", constant(0)});
    add(cases, {"f32", stepsOf({1, 3}), columns, 1, 1e-6, "_tiny", uniform(1e-5)});
    add(cases, {"f32", stepsOf({1, 3}), columns, 1, 0.5, "_wide_epsilon", uniform()});
    add(cases, {"f32", stepsOf({1, 3}), columns, 1, 1e-5, "_large", uniform(1e6)});
    add(cases, {"f32", stepsOf({1, 3}), columns, 1, 1e-5, "_outliers", outliers()});
  }
}

} // namespace lathe::conformance
