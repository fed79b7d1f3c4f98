// Routing in the ways that models have, for the recipes of experts.
#pragma once

#include <cmath>

#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {

struct Routing {
  const char *name;
  ir::RouteScore score = ir::RouteScore::softmax;
  int64_t experts = 8, top_k = 2, n_group = 1, topk_group = 1;
  ir::GroupScore group_score = ir::GroupScore::max;
  bool renormalize = false;
  double scale = 1;
  bool has_bias = false;

  ir::RoutingAttr attribute(Body &b) const {
    return ir::RoutingAttr::get(b.builder().getContext(), score, top_k, n_group, topk_group,
                                group_score, renormalize, b.f32(scale));
  }
};

// Of DeepSeek-V2 and V3, Qwen, Mixtral, and what is at the edges of them.
inline std::vector<Routing> routings() {
  using ir::GroupScore;
  using ir::RouteScore;
  return {{"plain", RouteScore::softmax, 8, 2},
          {"renormalised", RouteScore::softmax, 8, 3, 1, 1, GroupScore::max, true},
          {"one", RouteScore::softmax, 1, 1},
          {"all", RouteScore::softmax, 5, 5, 1, 1, GroupScore::max, true},
          {"odd", RouteScore::softmax, 17, 4, 1, 1, GroupScore::max, false, 16},
          {"v2", RouteScore::softmax, 16, 3, 4, 2, GroupScore::max, false, 16},
          {"v3", RouteScore::sigmoid, 16, 4, 4, 2, GroupScore::top2_sum, true, 2.5, true},
          {"v3_one_group", RouteScore::sigmoid, 16, 2, 8, 1, GroupScore::top2_sum, true, 2.5, true},
          {"sigmoid", RouteScore::sigmoid, 9, 3},
          {"bias", RouteScore::softmax, 12, 3, 1, 1, GroupScore::max, true, 1, true},
          {"many", RouteScore::sigmoid, 256, 8, 8, 4, GroupScore::top2_sum, true, 2.5, true}};
}

// down of swiglu of two products. Inner activations that are rounded to bf16 or to codes may come
// out one step off where the number before stands between two: that of one or two of them is
// allowed for.
inline Measure expertSums(int64_t hidden, int64_t inner, ir::Activations activations) {
  Measure measure = sums(hidden + inner, "f32 sums of products, twice, an exponential");
  const double step = activations == ir::Activations::f32       ? 0
                      : activations == ir::Activations::bf16    ? 0x1p-8
                      : activations == ir::Activations::w8a8_i8 ? 0x1p-7
                                                                : 0x1p-3;
  measure.of_row = 5 * measure.of_row + step / std::sqrt(static_cast<double>(inner));
  measure.of_value *= 4;
  measure.conversions = 4;
  return measure;
}

} // namespace lathe::conformance
