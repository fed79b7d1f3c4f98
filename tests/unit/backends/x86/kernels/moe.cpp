#include "backends/x86/kernels/moe.h"

#include <cmath>

#include "test_weight.h"

namespace lathe::x86 {
namespace {

double swish(double x) { return x / (1 + std::exp(-x)); }

// A layer of experts with all that its kernels read and write.
struct Layer {
  int64_t rows, experts, top_k, hidden, inner, x_block;
  StepMemory memory;
  TestStack gate, up, down;
  std::vector<float> x, x_scales, h_scales, weights;
  std::vector<int32_t> indices;
  int64_t px, px_scales, ph_scales, pweights, pindices;

  Layer(int64_t rows, int64_t experts, int64_t top_k, int64_t hidden, int64_t inner,
        WeightCase weight, int64_t x_block = 0)
      : rows(rows), experts(experts), top_k(top_k), hidden(hidden), inner(inner), x_block(x_block),
        memory(rows) {
    gate = testStack(memory, experts, inner, hidden, weight, 10);
    up = testStack(memory, experts, inner, hidden, weight, 20);
    down = testStack(memory, experts, hidden, inner, weight, 30);
    float deviation = weight.block.rows ? 0.05f : weight.format >= Format::e4m3 ? 0.001f : 0.2f;
    x = x_block ? randomCodes(rows * hidden, 1, deviation)
                : randomFloats(rows * hidden, 1, deviation);
    x_scales = randomFloats(rows * blocks(hidden) + 1, 2);
    h_scales = randomFloats(rows * top_k * blocks(inner) + 1, 3);
    weights = randomFloats(rows * top_k, 4);
    std::mt19937 random(5);
    for (int64_t t = 0; t < rows; ++t)
      for (int64_t k = 0; k < top_k; ++k) // different experts; the last is never chosen
        indices.push_back(
            static_cast<int32_t>((random() % 2 + 2 * size_t(k)) % size_t(experts - 1)));
    px = memory.put(x), px_scales = memory.put(x_scales), ph_scales = memory.put(h_scales);
    pweights = memory.put(weights), pindices = memory.put(indices);
  }

  int64_t blocks(int64_t columns) const { return x_block ? ceilDiv(columns, x_block) : 0; }
  XParams xParams(int64_t columns) const {
    return {x_block ? Activations::w8a8 : Activations::f32, columns, x_block, blocks(columns)};
  }
  double dot(const float *x, const float *scales, const TestStack &w, int64_t e, int64_t n,
             double *size) const {
    double sum = 0;
    for (int64_t k = 0; k < w.layout.k; ++k) {
      double term = x[k] * w.value(e, n, k) * (x_block ? scales[k / x_block] : 1.0f);
      sum += term;
      *size += std::abs(term);
    }
    return sum;
  }
  // h of pair p, checked at `h`; result rows at `y` from the h that is there.
  void expectH(int64_t pair, const float *h) const {
    int64_t t = pair / top_k, e = indices[size_t(pair)];
    for (int64_t j = 0; j < inner; ++j) {
      double gs = 1, us = 1;
      double g =
          dot(&x[size_t(t * hidden)], &x_scales[size_t(t * blocks(hidden))], gate, e, j, &gs);
      double u = dot(&x[size_t(t * hidden)], &x_scales[size_t(t * blocks(hidden))], up, e, j, &us);
      expectNear(h[j], swish(g) * u, gs * us, 1e-5, "h", pair, j);
    }
  }
  double down_of(int64_t pair, const float *h, int64_t place, int64_t j, double *size) const {
    return dot(h, &h_scales[size_t(place * blocks(inner))], down, indices[size_t(pair)], j, size);
  }
};

const std::pair<WeightCase, int64_t> moe_cases[] = {{{Format::f32, {}}, 0},
                                                    {{Format::bf16, {}}, 0},
                                                    {{Format::e4m3, {32, 128}}, 0},
                                                    {{Format::e4m3, {12, 20}}, 0},
                                                    {{Format::e4m3, {16, 32}}, 32}};

void runSorted(Layer &layer) {
  StepMemory &memory = layer.memory;
  int64_t pairs = layer.rows * layer.top_k;
  int64_t order = memory.space<int32_t>(pairs), position = memory.space<int32_t>(pairs);
  int64_t offsets = memory.space<int32_t>(layer.experts + 1);
  MoeSortParams sort = {layer.experts, layer.top_k};
  memory.run(lathe_x86_moe_sort, {layer.pindices, order, position, offsets}, sort,
             moeSortItems(sort));
  const int32_t *o = memory.at<int32_t>(order), *pos = memory.at<int32_t>(position),
                *off = memory.at<int32_t>(offsets);
  EXPECT_EQ(off[0], 0);
  EXPECT_EQ(off[layer.experts], pairs);
  for (int64_t e = 0; e < layer.experts; ++e)
    for (int64_t i = off[e]; i < off[e + 1]; ++i) {
      EXPECT_EQ(layer.indices[size_t(o[i])], e);
      EXPECT_TRUE(i == off[e] || o[i - 1] < o[i]) << "not stable";
      EXPECT_EQ(pos[o[i]], i);
    }

  int64_t h = memory.space<float>(pairs * layer.inner),
          y = memory.space<float>(pairs * layer.hidden);
  MoeGateUpParams gate_up = {layer.gate.layout.params(),
                             layer.xParams(layer.hidden),
                             layer.experts,
                             layer.top_k,
                             layer.inner,
                             RowsIn::f32,
                             2};
  memory.run(lathe_x86_moe_gate_up,
             {layer.px, layer.px_scales, order, offsets, layer.gate.place, layer.up.place, h},
             gate_up, moeGateUpItems(gate_up));
  for (int64_t i = 0; i < pairs; ++i)
    layer.expectH(o[i], memory.at<float>(h) + i * layer.inner);
  if (layer.x_block)
    toCodes(memory.at<float>(h), pairs * layer.inner);

  MoeDownParams down = {layer.down.layout.params(), layer.xParams(layer.inner), layer.experts,
                        layer.hidden, 3};
  memory.run(lathe_x86_moe_down, {h, layer.ph_scales, offsets, layer.down.place, y}, down,
             moeDownItems(down));
  for (int64_t i = 0; i < pairs; ++i)
    for (int64_t j = 0; j < layer.hidden; ++j) {
      double size = 0,
             want = layer.down_of(o[i], memory.at<float>(h) + i * layer.inner, i, j, &size);
      expectNear(memory.at<float>(y)[i * layer.hidden + j], want, size, 3e-6, "down", i, j);
    }

  for (int64_t has_residual : {0, 1}) {
    std::vector<float> residual = randomFloats(layer.rows * layer.hidden, 9);
    int64_t result = memory.space<float>(layer.rows * layer.hidden);
    MoeCombineParams combine = {{RowSource::rows, 1, 2},
                                layer.hidden,
                                layer.top_k,
                                layer.hidden,
                                has_residual,
                                layer.hidden,
                                layer.hidden};
    memory.run(lathe_x86_moe_combine, {y, position, layer.pweights, memory.put(residual), result},
               combine, moeCombineItems(combine));
    for (int64_t t = 0; t < layer.rows; ++t)
      for (int64_t j = 0; j < layer.hidden; ++j) {
        double want = has_residual ? residual[size_t(t * layer.hidden + j)] : 0,
               size = std::abs(want);
        for (int64_t k = 0; k < layer.top_k; ++k) {
          int64_t pair = t * layer.top_k + k;
          double term = double(layer.weights[size_t(pair)]) *
                        memory.at<float>(y)[pos[pair] * layer.hidden + j];
          want += term;
          size += std::abs(term);
        }
        expectNear(memory.at<float>(result)[t * layer.hidden + j], want, size, 1e-6, "combined", t,
                   j);
      }
  }
}

TEST(Moe, sortsRunsAndCombines) {
  for (auto [weight, x_block] : moe_cases)
    for (int64_t rows : {1, 2, 9, 40}) {
      Layer layer(rows, 7, 3, 50, 36, weight, x_block);
      runSorted(layer);
    }
}

TEST(Moe, runsOneRowWithoutSorting) {
  for (auto [weight, x_block] : moe_cases)
    for (int64_t has_residual : {0, 1}) {
      Layer layer(1, 7, 3, 150, 36, weight, x_block);
      StepMemory &memory = layer.memory;
      int64_t h = memory.space<float>(3 * layer.inner), result = memory.space<float>(layer.hidden);
      MoeGateUpRowParams gate_up = {layer.gate.layout.params(), layer.xParams(layer.hidden), 3,
                                    layer.inner, 2};
      memory.run(lathe_x86_moe_gate_up_row,
                 {layer.px, layer.px_scales, layer.pindices, layer.gate.place, layer.up.place, h},
                 gate_up, moeGateUpRowItems(gate_up));
      for (int64_t k = 0; k < 3; ++k)
        layer.expectH(k, memory.at<float>(h) + k * layer.inner);
      if (x_block)
        toCodes(memory.at<float>(h), 3 * layer.inner);
      std::vector<float> residual = randomFloats(layer.hidden, 9);
      MoeDownRowParams down = {layer.down.layout.params(), layer.xParams(layer.inner), 3,
                               has_residual, 9};
      memory.run(lathe_x86_moe_down_row,
                 {h, layer.ph_scales, layer.pindices, layer.pweights, layer.down.place,
                  memory.put(residual), result},
                 down, moeDownRowItems(down));
      for (int64_t j = 0; j < layer.hidden; ++j) {
        double want = has_residual ? residual[size_t(j)] : 0, size = std::abs(want);
        for (int64_t k = 0; k < 3; ++k) {
          double part = 0;
          want += layer.weights[size_t(k)] *
                  layer.down_of(k, memory.at<float>(h) + k * layer.inner, k, j, &part);
          size += std::abs(layer.weights[size_t(k)]) * part;
        }
        expectNear(memory.at<float>(result)[j], want, size, 3e-6, "result", 0, j);
      }
    }
}

} // namespace
} // namespace lathe::x86
