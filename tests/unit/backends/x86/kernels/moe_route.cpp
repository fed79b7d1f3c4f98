#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/x86/kernels/moe.h"
#include "base/float_formats.h"
#include "test_weight.h"

namespace lathe::x86 {
namespace {

struct Choice {
  std::vector<int32_t> indices;
  std::vector<double> weights;
};

// #lathe.routing, word for word.
Choice reference(const std::vector<double> &logits, const std::vector<float> &bias,
                 const MoeRouteParams &p) {
  int64_t experts = p.router.n, size = experts / p.n_group;
  std::vector<double> scores(logits.size()), selection;
  double top = *std::max_element(logits.begin(), logits.end()), sum = 0;
  for (size_t e = 0; e < scores.size(); ++e)
    sum += std::exp(logits[e] - top);
  for (size_t e = 0; e < scores.size(); ++e)
    scores[e] = p.score == RouteScore::softmax ? std::exp(logits[e] - top) / sum
                                               : 1 / (1 + std::exp(-logits[e]));
  selection = scores;
  for (size_t e = 0; p.has_bias && e < scores.size(); ++e)
    selection[e] += bias[e];
  if (p.n_group > 1) {
    std::vector<std::pair<double, int64_t>> groups;
    for (int64_t g = 0; g < p.n_group; ++g) {
      std::vector<double> part(selection.begin() + g * size, selection.begin() + (g + 1) * size);
      std::sort(part.rbegin(), part.rend());
      groups.push_back(
          {-(p.group_score == GroupScore::max || size == 1 ? part[0] : part[0] + part[1]), g});
    }
    std::stable_sort(groups.begin(), groups.end(),
                     [](auto &a, auto &b) { return a.first < b.first; });
    for (int64_t i = p.topk_group; i < p.n_group; ++i)
      for (int64_t e = 0; e < size; ++e)
        selection[size_t(groups[size_t(i)].second * size + e)] =
            -std::numeric_limits<double>::infinity();
  }
  Choice choice;
  double total = 0;
  for (int64_t k = 0; k < p.top_k; ++k) {
    auto best = std::max_element(selection.begin(), selection.end());
    choice.indices.push_back(static_cast<int32_t>(best - selection.begin()));
    choice.weights.push_back(scores[size_t(best - selection.begin())]);
    total += choice.weights.back();
    *best = -std::numeric_limits<double>::infinity();
  }
  for (double &weight : choice.weights)
    weight = (p.renormalize ? weight / (total + 1e-20) : weight) * bitsFloat(p.factor);
  return choice;
}

MoeRouteParams params(int64_t experts, int64_t k, int64_t score, int64_t top_k, int64_t groups,
                      int64_t keep, int64_t group_score, int64_t bias, int64_t renormalize) {
  return {{RowSource::rows, 1, 4},
          weightParams(experts, k, Format::f32),
          0,
          0,
          k,
          bias,
          score,
          top_k,
          groups,
          keep,
          group_score,
          renormalize,
          floatBits(2.5f)};
}

void runRoute(MoeRouteParams p, int64_t rows, bool from_logits) {
  int64_t experts = p.router.n, k = p.router.k;
  StepMemory memory(rows);
  TestStack router = testStack(memory, 1, experts, k, {Format::f32, {}}, 3);
  std::vector<float> x = randomFloats(rows * k, 4), bias = randomFloats(experts, 5, 0.3f), logits;
  std::vector<std::vector<double>> exact(static_cast<size_t>(rows));
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t e = 0; e < experts; ++e) {
      double sum = 0;
      for (int64_t i = 0; i < k; ++i)
        sum += x[size_t(t * k + i)] * router.value(0, e, i);
      logits.push_back(static_cast<float>(sum));
      exact[size_t(t)].push_back(from_logits ? static_cast<float>(sum) : sum);
    }
  p.from_logits = from_logits;
  p.rounds = !from_logits;
  p.input_stride = from_logits ? experts : k;
  int64_t indices = memory.space<int32_t>(rows * p.top_k),
          weights = memory.space<float>(rows * p.top_k), rounded = memory.space<uint16_t>(rows * k);
  memory.run(lathe_x86_moe_route,
             {memory.put(from_logits ? logits : x), from_logits ? no_operand : router.place,
              memory.put(bias), indices, weights, p.rounds ? rounded : no_operand},
             p, moeRouteItems(p));
  for (int64_t i = 0; p.rounds && i < rows * k; ++i)
    ASSERT_EQ(memory.at<uint16_t>(rounded)[i], bf16FromF32(x[size_t(i)])) << i;
  for (int64_t t = 0; t < rows; ++t) {
    Choice want = reference(exact[size_t(t)], bias, p);
    for (int64_t i = 0; i < p.top_k; ++i) {
      EXPECT_EQ(memory.at<int32_t>(indices)[t * p.top_k + i], want.indices[size_t(i)])
          << t << " " << i;
      EXPECT_NEAR(memory.at<float>(weights)[t * p.top_k + i], want.weights[size_t(i)], 1e-5);
    }
  }
}

TEST(MoeRoute, agreesWithItsDefinition) {
  for (bool from_logits : {false, true})
    for (int64_t rows : {1, 6}) {
      runRoute(params(8, 30, RouteScore::softmax, 2, 1, 1, GroupScore::max, 0, 0), rows,
               from_logits);
      runRoute(params(60, 30, RouteScore::softmax, 4, 1, 1, GroupScore::max, 0, 1), rows,
               from_logits);
      runRoute(params(160, 16, RouteScore::softmax, 6, 8, 3, GroupScore::max, 0, 0), rows,
               from_logits);
      runRoute(params(64, 20, RouteScore::sigmoid, 8, 8, 4, GroupScore::top2_sum, 1, 1), rows,
               from_logits);
      runRoute(params(9, 5, RouteScore::sigmoid, 3, 9, 4, GroupScore::top2_sum, 1, 1), rows,
               from_logits);
      runRoute(params(1, 5, RouteScore::softmax, 1, 1, 1, GroupScore::max, 0, 1), rows,
               from_logits);
      runRoute(params(max_experts, 2, RouteScore::sigmoid, 8, 1, 1, GroupScore::max, 1, 1), rows,
               from_logits);
    }
}

TEST(MoeRoute, takesItemsOfManyRows) {
  MoeRouteParams p = params(60, 30, RouteScore::softmax, 4, 1, 1, GroupScore::max, 0, 1);
  p.split.rows_per_item = route_rows;
  for (int64_t rows : {1, 47, 48, 49, 100})
    runRoute(p, rows, false);
}

std::vector<int32_t> routeLogits(MoeRouteParams p, const std::vector<float> &logits) {
  StepMemory memory(1);
  p.from_logits = 1;
  p.input_stride = p.router.n;
  int64_t indices = memory.space<int32_t>(p.top_k), weights = memory.space<float>(p.top_k);
  memory.run(lathe_x86_moe_route,
             {memory.put(logits), no_operand, no_operand, indices, weights, no_operand}, p,
             moeRouteItems(p));
  return {memory.at<int32_t>(indices), memory.at<int32_t>(indices) + p.top_k};
}

TEST(MoeRoute, givesTiesToTheLowerIndex) {
  EXPECT_EQ(routeLogits(params(20, 1, RouteScore::sigmoid, 4, 1, 1, GroupScore::max, 0, 0),
                        std::vector<float>(20, 0.5f)),
            (std::vector<int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(routeLogits(params(20, 1, RouteScore::softmax, 3, 4, 2, GroupScore::top2_sum, 0, 0),
                        std::vector<float>(20, 0.5f)),
            (std::vector<int32_t>{0, 1, 2}));
}

TEST(MoeRoute, staysInRangeAndChoosesDifferentExpertsWhenLogitsAreNotNumbers) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  for (int64_t score : {RouteScore::softmax, RouteScore::sigmoid}) {
    std::vector<int32_t> chosen = routeLogits(params(20, 1, score, 5, 1, 1, GroupScore::max, 0, 0),
                                              std::vector<float>(20, nan));
    std::sort(chosen.begin(), chosen.end());
    EXPECT_EQ(std::unique(chosen.begin(), chosen.end()), chosen.end());
    EXPECT_GE(chosen.front(), 0);
    EXPECT_LT(chosen.back(), 20);
  }
}

} // namespace
} // namespace lathe::x86
