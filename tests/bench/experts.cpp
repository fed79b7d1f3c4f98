// Mixtures of experts, under a load that is the same for all experts.
#include <numeric>

#include "backends/x86/kernels/moe.h"
#include "backends/x86/select/choice.h"
#include "tests/bench/shapes.h"

namespace lathe::bench {
namespace {

using namespace x86;

// Pair p of (token, choice) goes to expert p % kExperts.
struct Load {
  std::vector<int32_t> indices, order, position, offsets;

  explicit Load(int64_t tokens) {
    int64_t pairs = tokens * kTopK;
    indices.resize(pairs), position.resize(pairs);
    for (int64_t expert = 0; expert < kExperts; ++expert) {
      offsets.push_back(static_cast<int32_t>(order.size()));
      for (int64_t pair = expert; pair < pairs; pair += kExperts) {
        indices[pair] = static_cast<int32_t>(expert);
        position[pair] = static_cast<int32_t>(order.size());
        order.push_back(static_cast<int32_t>(pair));
      }
    }
    offsets.push_back(static_cast<int32_t>(order.size()));
  }
};

double perExpert(int64_t tokens) { return static_cast<double>(tokens * kTopK) / kExperts; }

Line gateUp(const RowForm &form, int64_t tokens) {
  Line line("moe_gate_up/e4m3/" + std::string(form.name), tokens);
  WeightParams w = weightOf(kE4m3, kInner, kHidden);
  MoeGateUpParams params{w,      xOf(form, kHidden), kExperts,       kTopK,
                         kInner, RowsIn::f32,        tilesPerItem(w)};
  X x = takeX(line, form, kHidden);
  Load load(tokens);
  line.region("moe_gate_up", params,
              {x.rows, x.scales, line.integers(load.order), line.integers(load.offsets),
               line.cold(kExperts * w.matrix_bytes), line.cold(kExperts * w.matrix_bytes),
               line.rows(kTopK * kInner)},
              moeGateUpItems(params));
  line.runs.push_back({rowsSuffix(tokens), tokens, tokens,
                       productWork(w, kE4m3, form, 2 * kExperts, perExpert(tokens))});
  return line;
}

Line down(const RowForm &form, int64_t tokens) {
  Line line("moe_down/e4m3/" + std::string(form.name), tokens);
  WeightParams w = weightOf(kE4m3, kHidden, kInner);
  MoeDownParams params{w, xOf(form, kInner), kExperts, kHidden, tilesPerItem(w)};
  int64_t x = line.rows(kTopK * kInner);
  int64_t scales = params.x.block ? line.rows(kTopK * params.x.scale_stride) : no_operand;
  line.region("moe_down", params,
              {x, scales, line.integers(Load(tokens).offsets), line.cold(kExperts * w.matrix_bytes),
               line.rows(kTopK * kHidden)},
              moeDownItems(params));
  line.runs.push_back({rowsSuffix(tokens), tokens, tokens,
                       productWork(w, kE4m3, form, kExperts, perExpert(tokens))});
  return line;
}

std::vector<int32_t> chosen() {
  std::vector<int32_t> experts(kTopK);
  std::iota(experts.begin(), experts.end(), 0);
  return experts;
}

Line gateUpRow(const WeightForm &weights) {
  Line line("moe_gate_up_row/" + std::string(weights.name) + "/f32", 1);
  WeightParams w = weightOf(weights, kInner, kHidden);
  MoeGateUpRowParams params{w, xOf(kF32Rows, kHidden), kTopK, kInner, tilesPerItem(w)};
  line.region("moe_gate_up_row", params,
              {line.rows(kHidden), no_operand, line.integers(chosen()),
               line.cold(kTopK * w.matrix_bytes), line.cold(kTopK * w.matrix_bytes),
               line.rows(kTopK * kInner)},
              moeGateUpRowItems(params));
  line.runs.push_back({"", 1, 1, productWork(w, weights, kF32Rows, 2 * kTopK, 1)});
  return line;
}

Line downRow(const WeightForm &weights) {
  Line line("moe_down_row/" + std::string(weights.name) + "/f32", 1);
  WeightParams w = weightOf(weights, kHidden, kInner);
  MoeDownRowParams params{w, xOf(kF32Rows, kInner), kTopK, 0, tilesPerItem(w)};
  line.region("moe_down_row", params,
              {line.rows(kTopK * kInner), no_operand, line.integers(chosen()), line.rows(kTopK),
               line.cold(kTopK * w.matrix_bytes), no_operand, line.rows(kHidden)},
              moeDownRowItems(params));
  line.runs.push_back({"", 1, 1, productWork(w, weights, kF32Rows, kTopK, 1)});
  return line;
}

Line route(int64_t tokens) {
  Line line("moe_route", tokens);
  WeightParams w = weightOf(kWeightForms[0], kExperts, kHidden);
  RowSplit split{tokens == 1 ? RowSource::none : RowSource::rows, 1, routeRowsPerItem(kExperts)};
  MoeRouteParams params{
      split,           w, 0,           0, kHidden, 0, RouteScore::softmax, kTopK, 1, 1,
      GroupScore::max, 0, floatBits(1)};
  line.region("moe_route", params,
              {line.rows(kHidden), line.cold(w.matrix_bytes), no_operand, line.rows(kTopK),
               line.rows(kTopK), no_operand},
              moeRouteItems(params));
  double rows = static_cast<double>(tokens);
  line.runs.push_back(
      {rowsSuffix(tokens), tokens, tokens, productWork(w, kWeightForms[0], kF32Rows, 1, rows)});
  return line;
}

Line sort(int64_t tokens) {
  Line line("moe_sort", tokens);
  MoeSortParams params{kExperts, kTopK};
  line.region("moe_sort", params,
              {line.integers(Load(tokens).indices), line.rows(kTopK), line.rows(kTopK),
               line.scratch((kExperts + 1) * 4)},
              moeSortItems(params), /*serial=*/true);
  line.runs.push_back({rowsSuffix(tokens), tokens, tokens, {.bytes = 12.0 * tokens * kTopK}});
  return line;
}

Line combine(int64_t tokens) {
  Line line("moe_combine", tokens);
  MoeCombineParams params{
      {RowSource::rows, 1, rowsPerItem(kHidden)}, kHidden, kTopK, kHidden, 0, 0, kHidden};
  line.region("moe_combine", params,
              {line.rows(kTopK * kHidden), line.integers(Load(tokens).position), line.rows(kTopK),
               no_operand, line.rows(kHidden)},
              moeCombineItems(params));
  double elements = static_cast<double>(tokens * kHidden);
  line.runs.push_back(
      {rowsSuffix(tokens),
       tokens,
       tokens,
       {.bytes = 4 * elements * (kTopK + 1), .vector_flops = 2 * elements * kTopK}});
  return line;
}

} // namespace

std::vector<Line> expertLines() {
  std::vector<Line> lines;
  for (int64_t tokens : {128, 512})
    for (const RowForm &form : {kF32Rows, kBf16Rows, kW8a8Rows}) {
      lines.push_back(gateUp(form, tokens));
      lines.push_back(down(form, tokens));
    }
  for (int form : {3, 5, 6}) {
    lines.push_back(gateUpRow(kWeightForms[form]));
    lines.push_back(downRow(kWeightForms[form]));
  }
  lines.push_back(route(1));
  lines.push_back(route(512));
  lines.push_back(sort(512));
  lines.push_back(combine(512));
  return lines;
}

} // namespace lathe::bench
