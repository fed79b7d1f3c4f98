// Products of one input, and gate with up.
#include "backends/x86/select/choice.h"
#include "tests/bench/shapes.h"

namespace lathe::bench {
namespace {

using namespace x86;

Line linear(const WeightForm &weights, const RowForm &form, int64_t n, int64_t k,
            std::initializer_list<int64_t> counts) {
  bool one = counts.size() == 1;
  Line line("linear/" + std::string(weights.name) + "/" + form.name, *(counts.end() - 1));
  WeightParams w = weightOf(weights, n, k);
  X x = takeX(line, form, k);
  LinearParams params{w, xOf(form, k),   one ? RowSource::none : RowSource::rows, 1, 0, 0, n, 1, 0,
                      0, tilesPerItem(w)};
  line.region("linear", params,
              {x.rows, x.scales, line.cold(w.matrix_bytes), no_operand, no_operand, line.rows(n)},
              linearItems(params));
  for (int64_t rows : counts)
    line.runs.push_back({rowsSuffix(rows), rows, rows,
                         productWork(w, weights, form, 1, static_cast<double>(rows))});
  return line;
}

Line oneRow(const WeightForm &weights, const RowForm &form) {
  return linear(weights, form, kDenseInner, kHidden, {1});
}
// 24 and 48 rows are what an expert gets of 256 and 512 tokens.
Line manyRows(const WeightForm &weights, const RowForm &form) {
  return linear(weights, form, kInner, kHidden, {4, 12, 24, 48, 128, 512});
}

Line gated(const WeightForm &weights, const RowForm &form, std::initializer_list<int64_t> counts) {
  Line line("gated_linear/" + std::string(weights.name) + "/" + form.name, *(counts.end() - 1));
  WeightParams w = weightOf(weights, kSharedInner, kHidden);
  X x = takeX(line, form, kHidden);
  GatedLinearParams params{w,
                           xOf(form, kHidden),
                           counts.size() == 1 ? RowSource::none : RowSource::rows,
                           0,
                           kSharedInner,
                           RowsIn::f32,
                           tilesPerItem(w)};
  line.region("gated_linear", params,
              {x.rows, x.scales, line.cold(w.matrix_bytes), line.cold(w.matrix_bytes), no_operand,
               no_operand, line.rows(kSharedInner)},
              gatedLinearItems(params));
  for (int64_t rows : counts)
    line.runs.push_back({rowsSuffix(rows), rows, rows,
                         productWork(w, weights, form, 2, static_cast<double>(rows))});
  return line;
}

// What absorbed latent attention does with kv_b for one row: a product a head.
Line heads(const char *name, int64_t n, int64_t k) {
  Line line(name, 1);
  WeightParams w = weightOf(kE4m3, n, k);
  LinearParams params{w,
                      {Activations::f32, kHeads * k, 0, 0},
                      RowSource::none,
                      1,
                      0,
                      0,
                      kHeads * n,
                      kHeads,
                      k,
                      n,
                      tilesPerItem(w)};
  line.region("linear", params,
              {line.rows(kHeads * k), no_operand, line.cold(kHeads * w.matrix_bytes), no_operand,
               no_operand, line.rows(kHeads * n)},
              linearItems(params));
  line.runs.push_back({"", 1, 1, productWork(w, kE4m3, kF32Rows, kHeads, 1)});
  return line;
}

} // namespace

std::vector<Line> productLines() {
  std::vector<Line> lines;
  for (const WeightForm &weights : kWeightForms)
    lines.push_back(oneRow(weights, kF32Rows));
  lines.push_back(oneRow(kE4m3, kW8a8Rows));
  for (const WeightForm &weights : kWeightForms) {
    lines.push_back(manyRows(weights, kF32Rows));
    lines.push_back(manyRows(weights, kBf16Rows));
  }
  lines.push_back(manyRows(kE4m3, kW8a8Rows));
  for (const WeightForm &weights : kWeightForms)
    if (isInteger(weights.format))
      lines.push_back(manyRows(weights, kI8Rows));
  lines.push_back(gated(kE4m3, kF32Rows, {1}));
  lines.push_back(gated(kE4m3, kF32Rows, {24, 512}));
  lines.push_back(gated(kE4m3, kBf16Rows, {24, 512}));
  lines.push_back(heads("linear_heads/absorb_query", kRank, kNope));
  lines.push_back(heads("linear_heads/expand_value", kValue, kRank));
  return lines;
}

} // namespace lathe::bench
