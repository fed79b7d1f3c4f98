#include "backends/reference/moe.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "backends/reference/basic.h"
#include "backends/reference/quantization.h"
#include "backends/reference/softmax.h"

namespace lathe::reference {

namespace {

using Doubles = std::vector<double>;

// The places of the `count` largest, best first, ties to the lower place.
std::vector<int64_t> best(const Doubles &values, int64_t count) {
  std::vector<int64_t> places(values.size());
  std::iota(places.begin(), places.end(), 0);
  std::stable_sort(places.begin(), places.end(),
                   [&](int64_t a, int64_t b) { return values[a] > values[b]; });
  places.resize(count);
  return places;
}

Doubles scoresOf(const float *logits, int64_t count, Routing::Score score) {
  Doubles scores(logits, logits + count);
  if (score == Routing::Score::softmax)
    softmax(scores);
  else
    for (double &value : scores)
      value = 1.0 / (1.0 + std::exp(-value));
  return scores;
}

double groupScore(Doubles group, Routing::GroupScore kind) {
  std::sort(group.begin(), group.end(), std::greater<>());
  const bool two = kind == Routing::GroupScore::top2_sum && group.size() > 1;
  return two ? group[0] + group[1] : group[0];
}

// Experts of all but the best groups count as -inf.
void dropGroups(Doubles &selection, const Routing &routing) {
  const int64_t size = selection.size() / routing.n_group;
  Doubles group_scores;
  for (int64_t g = 0; g < routing.n_group; ++g) {
    const auto begin = selection.begin() + g * size;
    group_scores.push_back(groupScore({begin, begin + size}, routing.group_score));
  }
  std::vector<bool> kept(routing.n_group);
  for (int64_t g : best(group_scores, routing.topk_group))
    kept[g] = true;
  for (size_t e = 0; e < selection.size(); ++e)
    if (!kept[e / size])
      selection[e] = -std::numeric_limits<double>::infinity();
}

void routeRow(const float *logits, int64_t num_experts, const Tensor *bias, const Routing &routing,
              int32_t *indices, float *weights) {
  const Doubles scores = scoresOf(logits, num_experts, routing.score);
  Doubles selection = scores;
  for (int64_t e = 0; bias && e < num_experts; ++e)
    selection[e] += bias->values[e];
  if (routing.n_group > 1)
    dropGroups(selection, routing);
  const std::vector<int64_t> chosen = best(selection, routing.top_k);
  double sum = 0;
  for (int64_t e : chosen)
    sum += scores[e];
  for (int64_t k = 0; k < routing.top_k; ++k) {
    const double weight = scores[chosen[k]] / (routing.renormalize ? sum + 1e-20 : 1.0);
    indices[k] = static_cast<int32_t>(chosen[k]);
    weights[k] = static_cast<float>(weight * routing.scale);
  }
}

struct MatrixOf {
  int64_t index;
  std::variant<Tensor, Codes> operator()(const Tensor *stack) { return matrixOf(*stack, index); }
  std::variant<Tensor, Codes> operator()(const Codes *stack) { return matrixOf(*stack, index); }
};

Matrix borrowed(const std::variant<Tensor, Codes> &matrix) {
  return std::visit([](const auto &held) -> Matrix { return &held; }, matrix);
}

std::variant<Tensor, Codes> entering(const Tensor &rows, Activations activations) {
  switch (activations) {
  case Activations::f32: return rows;
  case Activations::bf16: return cast(rows, Element::bf16);
  case Activations::w8a8: return quantize(rows, CodeKind::e4m3, 128, /*power_of_two=*/false);
  case Activations::w8a8_ue8m0: return quantize(rows, CodeKind::e4m3, 128, /*power_of_two=*/true);
  case Activations::w8a8_i8: return quantize(rows, CodeKind::i8, 32, /*power_of_two=*/false);
  }
  return rows;
}

Tensor oneExpert(const Tensor &rows, const Experts &experts, int64_t expert,
                 Activations activations) {
  const auto gate = std::visit(MatrixOf{expert}, experts.gate);
  const auto up = std::visit(MatrixOf{expert}, experts.up);
  const auto down = std::visit(MatrixOf{expert}, experts.down);
  const auto outer = entering(rows, activations);
  const auto inner =
      entering(gatedLinear(borrowed(outer), borrowed(gate), borrowed(up)), activations);
  return linear(borrowed(inner), borrowed(down));
}

} // namespace

Routed moeRoute(const Tensor &logits, const Tensor *bias, const Routing &routing) {
  const int64_t rows = logits.rows(), k = routing.top_k;
  Routed result{{{rows, k}, std::vector<int32_t>(rows * k)}, Tensor({rows, k})};
  for (int64_t t = 0; t < rows; ++t)
    routeRow(logits.row(t), logits.columns(), bias, routing, result.indices.values.data() + t * k,
             result.weights.row(t));
  return result;
}

Dispatched moeDispatch(const Tensor &input, const Indices &indices, int64_t num_experts) {
  const std::vector<int32_t> &expert_of = indices.values;
  std::vector<int32_t> order(expert_of.size()), offsets(num_experts + 1);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return expert_of[a] < expert_of[b]; });
  for (int32_t expert : expert_of)
    ++offsets[expert + 1];
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<int32_t> tokens;
  for (int32_t pair : order)
    tokens.push_back(pair / static_cast<int32_t>(indices.shape[1]));
  return {embedding(Indices(tokens), input), Indices(order), Indices(offsets)};
}

Tensor expertFfn(const Tensor &rows, const Indices &offsets, const Experts &experts,
                 Activations activations) {
  Tensor result(rows.shape);
  for (size_t e = 0; e + 1 < offsets.values.size(); ++e) {
    const int64_t begin = offsets.values[e], count = offsets.values[e + 1] - begin;
    if (count == 0)
      continue;
    Tensor own({count, rows.columns()});
    std::copy_n(rows.row(begin), own.values.size(), own.values.begin());
    own = oneExpert(own, experts, e, activations);
    std::copy(own.values.begin(), own.values.end(), result.row(begin));
  }
  return result;
}

Tensor moeCombine(const Tensor &rows, const Indices &order, const Tensor &weights) {
  const int64_t k = weights.columns(), columns = rows.columns();
  std::vector<int64_t> place(order.values.size()); // of each pair in `rows`
  for (size_t i = 0; i < order.values.size(); ++i)
    place[order.values[i]] = i;
  Tensor result({weights.rows(), columns});
  for (int64_t t = 0; t < weights.rows(); ++t)
    for (int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (int64_t choice = 0; choice < k; ++choice)
        sum += double{weights.row(t)[choice]} * rows.row(place[t * k + choice])[j];
      result.row(t)[j] = static_cast<float>(sum);
    }
  return result;
}

Tensor fusedExperts(const Tensor &input, const Tensor &router, const Experts &experts,
                    const Tensor *bias, const Routing &routing, Activations activations) {
  const Routed routed = moeRoute(linear(&input, &router), bias, routing);
  const Dispatched dispatched = moeDispatch(input, routed.indices, router.rows());
  const Tensor rows = expertFfn(dispatched.rows, dispatched.offsets, experts, activations);
  return moeCombine(rows, dispatched.order, routed.weights);
}

} // namespace lathe::reference
