// Routing, dispatch and combination of experts against plain loops.
#include "kernel_rig.h"

namespace npu::kernels {
namespace {

class ExpertKernels : public Kernels {};

std::vector<int> best(const std::vector<double> &values, int count) {
  std::vector<int> places(values.size());
  for (size_t i = 0; i < places.size(); ++i)
    places[i] = static_cast<int>(i);
  std::stable_sort(places.begin(), places.end(),
                   [&](int x, int y) { return values[x] > values[y]; });
  places.resize(count);
  return places;
}

struct Routed {
  std::vector<int> experts;
  std::vector<double> weights;
};

Routed route_row(const RoutePlan &plan, const float *logits, const Floats &bias) {
  int size = static_cast<int>(plan.experts / plan.n_group);
  std::vector<double> scores(plan.experts), selection, groups;
  double sum = 0;
  for (size_t e = 0; e < plan.experts; ++e)
    sum += scores[e] = plan.sigmoid ? 1 / (1 + std::exp(-logits[e])) : std::exp(logits[e]);
  for (double &score : scores)
    score = plan.sigmoid ? score : score / sum;
  selection = scores;
  for (size_t e = 0; plan.bias && e < plan.experts; ++e)
    selection[e] += bias[e];
  for (size_t g = 0; g < plan.n_group; ++g) {
    std::vector<double> group(&selection[g * size], &selection[g * size] + size);
    std::sort(group.rbegin(), group.rend());
    groups.push_back(plan.top2_sum && size > 1 ? group[0] + group[1] : group[0]);
  }
  std::vector<int> kept = best(groups, static_cast<int>(plan.topk_group));
  for (size_t e = 0; plan.n_group > 1 && e < plan.experts; ++e)
    if (std::find(kept.begin(), kept.end(), e / size) == kept.end())
      selection[e] = -1e300;
  Routed result{best(selection, static_cast<int>(plan.top_k)), {}};
  sum = 0;
  for (int e : result.experts)
    sum += scores[e];
  for (int e : result.experts)
    result.weights.push_back(scores[e] / (plan.renormalize ? sum : 1) * plan.scale);
  return result;
}

TEST_P(ExpertKernels, routeChoosesTheBestExperts) {
  RoutePlan v3{.experts = 8,
               .top_k = 2,
               .n_group = 4,
               .topk_group = 2,
               .sigmoid = true,
               .top2_sum = true,
               .renormalize = true,
               .bias = true,
               .scale = 2.5f};
  RoutePlan v2{.experts = 60, .top_k = 6, .n_group = 3, .topk_group = 2};
  RoutePlan plain{.experts = 11, .top_k = 3, .renormalize = true};
  for (const RoutePlan &plan : {v3, v2, plain}) {
    const int rows = 5;
    Floats logits = wave(rows * plan.experts, 2, 1.7f), bias = wave(plan.experts, 0.3f);
    uint64_t indices = room(rows * plan.top_k), weights = room(rows * plan.top_k);
    std::vector<uint64_t> args{rig.put(logits)};
    if (plan.bias)
      args.push_back(rig.put(bias));
    args.insert(args.end(), {indices, weights, rows});
    run(route(device(), plan), args);
    auto chosen = rig.get<int32_t>(indices, rows * plan.top_k);
    auto got = rig.get<float>(weights, rows * plan.top_k);
    for (int t = 0; t < rows; ++t) {
      Routed wanted = route_row(plan, &logits[t * plan.experts], bias);
      for (size_t k = 0; k < plan.top_k; ++k) {
        ASSERT_EQ(chosen[t * plan.top_k + k], wanted.experts[k]);
        ASSERT_NEAR(got[t * plan.top_k + k], wanted.weights[k], 1e-5);
      }
    }
  }
}

TEST_P(ExpertKernels, dispatchSortsAndCombineBringsBack) {
  const int tokens = 4, top_k = 2, experts = 5, cols = 37;
  std::vector<int32_t> chosen{4, 1, 1, 0, 4, 0, 1, 3};
  uint64_t sorted = room(8), rows_of = room(8), offsets = room(6);
  run(dispatch(device(), {.experts = experts, .top_k = top_k, .max_rows = 6}),
      {rig.put(chosen), sorted, rows_of, offsets, tokens});
  EXPECT_THAT(rig.get<int32_t>(sorted, 8), testing::ElementsAre(3, 5, 1, 2, 6, 7, 0, 4));
  EXPECT_THAT(rig.get<int32_t>(rows_of, 8), testing::ElementsAre(1, 2, 0, 1, 3, 3, 0, 2));
  EXPECT_THAT(rig.get<int32_t>(offsets, 6), testing::ElementsAre(0, 2, 5, 5, 6, 8));
  Floats rows = wave(8 * cols), weights = wave(8);
  uint64_t out = room(tokens * cols);
  run(combine(device(),
              {.cols = cols, .top_k = top_k, .max_rows = 6, .x_ld = cols * 4, .out_ld = cols * 4}),
      {rig.put(rows), sorted, rig.put(weights), out, tokens});
  auto got = rig.get<float>(out, tokens * cols);
  std::vector<int> place{6, 2, 3, 0, 7, 1, 4, 5};
  for (int t = 0; t < tokens; ++t)
    for (int j = 0; j < cols; ++j)
      ASSERT_NEAR(got[t * cols + j],
                  weights[2 * t] * rows[place[2 * t] * cols + j] +
                      weights[2 * t + 1] * rows[place[2 * t + 1] * cols + j],
                  1e-6);
}

INSTANTIATE_TEST_SUITE_P(Devices, ExpertKernels, kernel_devices(), device_label);

} // namespace
} // namespace npu::kernels
