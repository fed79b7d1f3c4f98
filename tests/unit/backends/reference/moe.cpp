#include "backends/reference/moe.h"

#include <cmath>

#include <gmock/gmock.h>

#include "backends/reference/basic.h"
#include "backends/reference/quantization.h"
#include "noise.h"

namespace lathe::reference {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

TEST(MoeRoute, takesTheBestFirstAndTiesToTheLowerIndex) {
  Routing routing;
  routing.top_k = 3;
  EXPECT_THAT(moeRoute(Tensor({1, 4}, {1, 2, 1, 2}), nullptr, routing).indices.values,
              ElementsAre(1, 3, 0));
}

TEST(MoeRoute, weighsBySoftmaxOverAllExpertsTimesScale) {
  Routing routing;
  routing.top_k = 2;
  routing.scale = 4;
  const Routed routed = moeRoute(Tensor({1, 4}, {0, 0, 0, 0}), nullptr, routing);
  EXPECT_THAT(routed.weights.values, ElementsAre(1, 1));
}

TEST(MoeRoute, choosesByBiasedScoresAndWeighsByUnbiasedOnes) {
  Routing routing;
  routing.score = Routing::Score::sigmoid;
  routing.top_k = 1;
  const Tensor bias({2}, {0, 1});
  const Routed routed = moeRoute(Tensor({1, 2}, {1, 0}), &bias, routing);
  EXPECT_THAT(routed.indices.values, ElementsAre(1));
  EXPECT_THAT(routed.weights.values, ElementsAre(0.5f));
}

TEST(MoeRoute, renormalisesToOneBeforeScaling) {
  Routing routing;
  routing.score = Routing::Score::sigmoid;
  routing.top_k = 2;
  routing.renormalize = true;
  routing.scale = 2.5f;
  const Routed routed = moeRoute(Tensor({1, 3}, {1, 1, -9}), nullptr, routing);
  EXPECT_THAT(routed.weights.values, ElementsAre(1.25f, 1.25f));
}

// Three groups of two. By max the second wins (0.9), by the sum of two the first (0.6 + 0.5).
TEST(MoeRoute, scoresGroupsAsItIsTold) {
  const auto logit = [](double p) { return static_cast<float>(std::log(p / (1 - p))); };
  const Tensor logits({1, 6},
                      {logit(0.6), logit(0.5), logit(0.9), logit(0.1), logit(0.2), logit(0.2)});
  Routing routing;
  routing.score = Routing::Score::sigmoid;
  routing.top_k = 2;
  routing.n_group = 3;
  EXPECT_THAT(moeRoute(logits, nullptr, routing).indices.values, ElementsAre(2, 3));
  routing.group_score = Routing::GroupScore::top2_sum;
  EXPECT_THAT(moeRoute(logits, nullptr, routing).indices.values, ElementsAre(0, 1));
}

// A negative bias makes kept experts worse than 0: dropped ones must not win against them.
TEST(MoeRoute, neverChoosesFromADroppedGroup) {
  Routing routing;
  routing.score = Routing::Score::sigmoid;
  routing.top_k = 2;
  routing.n_group = 2;
  const Tensor bias({4}, {-5, -6, -7, -7});
  EXPECT_THAT(moeRoute(Tensor({1, 4}, {0, 0, 0, 0}), &bias, routing).indices.values,
              ElementsAre(0, 1));
}

TEST(MoeDispatch, sortsPairsByExpertStably) {
  const Dispatched result = moeDispatch(Tensor({2, 1}, {10, 20}), Indices({2, 2}, {2, 0, 0, 2}), 4);
  EXPECT_THAT(result.order.values, ElementsAre(1, 2, 0, 3));
  EXPECT_THAT(result.rows.values, ElementsAre(10, 20, 10, 20));
  EXPECT_THAT(result.offsets.values, ElementsAre(0, 2, 2, 4, 4));
}

TEST(MoeCombine, putsRowsBackInTheOrderOfTokens) {
  EXPECT_THAT(moeCombine(Tensor({4, 1}, {1, 2, 3, 4}), Indices({1, 2, 0, 3}),
                         Tensor({2, 2}, {1, 10, 100, 1000}))
                  .values,
              ElementsAre(3 + 10, 200 + 4000));
}

struct Layer {
  Tensor input, router, gate, up, down, bias;
  Routing routing;
};

Layer layer() {
  TestNoise noise;
  Layer result{noise.tensor({6, 8}),
               noise.tensor({4, 8}),
               noise.tensor({4, 5, 8}),
               noise.tensor({4, 5, 8}),
               noise.tensor({4, 8, 5}),
               noise.tensor({4}, 0.1f),
               {}};
  result.routing.score = Routing::Score::sigmoid;
  result.routing.top_k = 2;
  result.routing.renormalize = true;
  return result;
}

// Token by token and choice by choice, without sorting anything.
TEST(FusedExperts, isTheWeightedSumOfEachTokensExperts) {
  const Layer l = layer();
  const Tensor result = fusedExperts(l.input, l.router, {&l.gate, &l.up, &l.down}, &l.bias,
                                     l.routing, Activations::f32);
  const Routed routed = moeRoute(linear(&l.input, &l.router), &l.bias, l.routing);
  for (int64_t t = 0; t < 6; ++t) {
    const Tensor row = rowsOf(l.input, t, t + 1);
    std::vector<float> sum(8);
    for (int64_t k = 0; k < 2; ++k) {
      const int64_t e = routed.indices.values[t * 2 + k];
      const Tensor gate = matrixOf(l.gate, e), up = matrixOf(l.up, e), down = matrixOf(l.down, e);
      const Tensor inner = gatedLinear(&row, &gate, &up);
      const Tensor own = linear(&inner, &down);
      for (int64_t j = 0; j < 8; ++j)
        sum[j] += routed.weights.row(t)[k] * own.values[j];
    }
    EXPECT_THAT(rowsOf(result, t, t + 1).values, Pointwise(FloatNear(1e-5f), sum));
  }
}

TEST(ExpertFfn, roundsRowsAndInnerActivationsAsToldAndLeavesExpertsWithoutRows) {
  const Layer l = layer();
  const Tensor rows = rowsOf(l.input, 0, 2);
  const Tensor result =
      expertFfn(rows, Indices({0, 0, 2, 2, 2}), {&l.gate, &l.up, &l.down}, Activations::bf16);
  const Tensor gate = matrixOf(l.gate, 1), up = matrixOf(l.up, 1), down = matrixOf(l.down, 1);
  const Tensor outer = cast(rows, Element::bf16),
               inner = cast(gatedLinear(&outer, &gate, &up), Element::bf16);
  EXPECT_EQ(result.values, linear(&inner, &down).values);
}

TEST(ExpertFfn, multipliesCodesByCodesInW8a8) {
  const Layer l = layer();
  const Tensor rows = rowsOf(l.input, 0, 2);
  const auto coded = [](const Tensor &stack) {
    Codes codes = quantize(stack, CodeKind::e4m3, 128, false); // a scale a row
    codes.shape = stack.shape;
    return codes;
  };
  Tensor flat_gate({20, 8}, l.gate.values), flat_down({32, 5}, l.down.values);
  Codes gate = coded(flat_gate), down = coded(flat_down);
  gate.shape = l.gate.shape;
  down.shape = l.down.shape;
  const Tensor result =
      expertFfn(rows, Indices({0, 0, 2, 2, 2}), {&gate, &gate, &down}, Activations::w8a8);
  const Codes own_gate = matrixOf(gate, 1), own_down = matrixOf(down, 1),
              outer = quantize(rows, CodeKind::e4m3, 128, false);
  const Codes inner =
      quantize(gatedLinear(&outer, &own_gate, &own_gate), CodeKind::e4m3, 128, false);
  EXPECT_EQ(result.values, linear(&inner, &own_down).values);
}

} // namespace
} // namespace lathe::reference
