// Row by row: sums, gates and scales by oneDNN's elementwise primitives; the norm and copies by own
// loops, for which oneDNN 2.6 has no primitive that fits (README.md).
#include <algorithm>
#include <cmath>

#include "border.h"
#include "floats.h"
#include "kernels/kernels.h"

namespace onednn {
namespace {

using dnnl::memory;

enum { key_binary = 200, key_eltwise = 201 }; // the first word of a key

constexpr uint64_t kRows = 16; // of an item

memory::desc vectorOf(uint64_t count) {
  return {{static_cast<int64_t>(count)}, memory::data_type::f32, memory::format_tag::a};
}

std::shared_ptr<const Primitive> binary(dnnl::algorithm algorithm, uint64_t count,
                                        Library &library) {
  const Library::Key key = {key_binary, static_cast<int64_t>(algorithm),
                            static_cast<int64_t>(count)};
  return library.find(key, [&] {
    const memory::desc desc = vectorOf(count);
    const dnnl::binary::primitive_desc made({algorithm, desc, desc, desc}, ownScratchpad(),
                                            library.engine());
    return Primitive{dnnl::binary(made),
                     {{DNNL_ARG_SRC_0, desc}, {DNNL_ARG_SRC_1, desc}, {DNNL_ARG_DST, desc}},
                     made.scratchpad_desc()};
  });
}

std::shared_ptr<const Primitive> eltwise(dnnl::algorithm algorithm, float alpha, uint64_t count,
                                         Library &library) {
  const Library::Key key = {key_eltwise, static_cast<int64_t>(algorithm), bitsOf(alpha),
                            static_cast<int64_t>(count)};
  return library.find(key, [&] {
    const memory::desc desc = vectorOf(count);
    const dnnl::eltwise_forward::primitive_desc made(
        {dnnl::prop_kind::forward_inference, algorithm, desc, alpha, 0}, ownScratchpad(),
        library.engine());
    return Primitive{dnnl::eltwise_forward(made),
                     {{DNNL_ARG_SRC, desc}, {DNNL_ARG_DST, desc}},
                     made.scratchpad_desc()};
  });
}

// body(row, count): `count` numbers from a row on, side by side in all matrices of the step. Dense
// rows are taken together.
template <typename Body> void forEachRun(const Step &step, Library &library, const Body &body) {
  const Matrix &result = step.matrices[0];
  const bool is_dense = std::all_of(std::begin(step.matrices), std::end(step.matrices),
                                    [](const Matrix &m) { return !m.data || m.isDense(); });
  const uint64_t items = (result.rows + kRows - 1) / kRows;
  forEachItem(static_cast<int64_t>(items), [&](int64_t begin, int64_t end) {
    Library::Lease lease(library);
    for (uint64_t item = begin; item < static_cast<uint64_t>(end); ++item) {
      const uint64_t first = item * kRows, last = std::min(first + kRows, result.rows);
      if (is_dense)
        body(first, (last - first) * result.columns, *lease);
      for (uint64_t row = first; !is_dense && row < last; ++row)
        body(row, result.columns, *lease);
    }
  });
}

} // namespace

void add(const Step &step, Library &library) {
  const auto &[result, lhs, rhs, none, none2, none3] = step.matrices;
  forEachRun(step, library, [&](uint64_t row, uint64_t count, Workspace &workspace) {
    library.run(*binary(dnnl::algorithm::binary_add, count, library), workspace,
                {lhs.row(row), rhs.row(row), result.row(row)});
  });
}

void scale(const Step &step, Library &library) {
  const auto &[result, input, none, none2, none3, none4] = step.matrices;
  const auto factor = static_cast<float>(step.instruction->real);
  forEachRun(step, library, [&](uint64_t row, uint64_t count, Workspace &workspace) {
    library.run(*eltwise(dnnl::algorithm::eltwise_linear, factor, count, library), workspace,
                {input.row(row), result.row(row)});
  });
}

// oneDNN's exponential is 0 below the smallest normal number. A gate times it is not yet, and there
// its sigmoid is an exponential.
static void gateFarBelow(const float *gate, float *result, uint64_t count) {
  constexpr float kFarBelow = -87;
  for (uint64_t i = 0; i < count; ++i)
    if (gate[i] < kFarBelow)
      result[i] = static_cast<float>(gate[i] * std::exp(double{gate[i]}));
}

// swish(x) = x * sigmoid(alpha x).
void swiglu(const Step &step, Library &library) {
  const auto &[result, gate, up, none, none2, none3] = step.matrices;
  forEachRun(step, library, [&](uint64_t row, uint64_t count, Workspace &workspace) {
    library.run(*eltwise(dnnl::algorithm::eltwise_swish, 1, count, library), workspace,
                {gate.row(row), result.row(row)});
    gateFarBelow(gate.row(row), result.row(row), count);
    library.run(*binary(dnnl::algorithm::binary_mul, count, library), workspace,
                {result.row(row), up.row(row), result.row(row)});
  });
}

// Groups of columns as long as the scale.
void rmsNorm(const Step &step, Library &) {
  const auto &[result, input, scale, none, none2, none3] = step.matrices;
  const uint64_t size = scale.columns, groups = input.columns / size;
  const float *weight = scale.row(0);
  const double epsilon = step.instruction->real;
  forEachItem(static_cast<int64_t>(input.rows * groups), [&](int64_t begin, int64_t end) {
    for (uint64_t group = begin; group < static_cast<uint64_t>(end); ++group) {
      const float *x = input.row(group / groups) + group % groups * size;
      float *y = result.row(group / groups) + group % groups * size;
      double lanes[8] = {}, squares = 0; // side by side, so that no sum waits for the one before
      for (uint64_t j = 0; j < size; ++j)
        lanes[j % 8] += double{x[j]} * x[j];
      for (double lane : lanes)
        squares += lane;
      const auto factor =
          static_cast<float>(1 / std::sqrt(squares / static_cast<double>(size) + epsilon));
      for (uint64_t j = 0; j < size; ++j)
        y[j] = x[j] * factor * weight[j];
    }
  });
}

void copy(const Step &step, Library &library) {
  const auto &[result, input, none, none2, none3, none4] = step.matrices;
  const uint64_t rounding = step.instruction->rounding;
  forEachRun(step, library, [&](uint64_t row, uint64_t count, Workspace &) {
    copyRounded(result.row(row), input.row(row), count, rounding);
  });
}

void copyRounded(float *to, const float *from, uint64_t count, uint64_t rounding) {
  if (rounding == round_not)
    std::memmove(to, from, count * sizeof(float));
  for (uint64_t i = 0; rounding == round_bf16 && i < count; ++i)
    to[i] = f32OfBf16(bf16OfF32(from[i]));
  for (uint64_t i = 0; rounding == round_f16 && i < count; ++i)
    to[i] = roundedToF16(from[i]);
}

} // namespace onednn
