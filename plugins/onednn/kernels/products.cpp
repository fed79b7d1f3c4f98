// Products by oneDNN's matmul, of one row by its sgemm. Work is cut by shapes alone, an item a
// block of the result.
#include <algorithm>

#include "border.h"
#include "kernels/kernels.h"

namespace onednn {
namespace {

using dnnl::memory;

enum { key_product, key_rounding }; // the first word of a key; others begin at 100 and 200

// A block of so many rows and columns of the result is an item: large enough that bringing the
// weight into oneDNN's order, once an item, shows little. Twice as large is a tenth faster on one
// core, and leaves others without work.
constexpr uint64_t kRows = 512, kColumns = 256;
constexpr uint64_t kFewRows = 8, kWeightsOfAnItem = 1 << 18; // where reading the weight is all

struct Product {
  int64_t m, n, k, x_stride, weight_stride, result_stride;
  bool has_bias, is_bf16;
};

Primitive makeProduct(const Product &product, const dnnl::engine &engine) {
  const auto &[m, n, k, x_stride, weight_stride, result_stride, has_bias, is_bf16] = product;
  const auto element = is_bf16 ? memory::data_type::bf16 : memory::data_type::f32;
  const memory::desc x({m, k}, element, memory::dims{x_stride, 1});
  const memory::desc weight({k, n}, element, memory::dims{1, weight_stride});
  const memory::desc result({m, n}, memory::data_type::f32, memory::dims{result_stride, 1});
  const memory::desc bias({1, n}, memory::data_type::f32, memory::dims{n, 1});
  const dnnl::matmul::desc desc = has_bias ? dnnl::matmul::desc(x, weight, bias, result)
                                           : dnnl::matmul::desc(x, weight, result);
  const dnnl::matmul::primitive_desc made(desc, ownScratchpad(), engine);
  Primitive primitive{dnnl::matmul(made),
                      {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, weight}, {DNNL_ARG_DST, result}},
                      made.scratchpad_desc()};
  if (has_bias)
    primitive.arguments.push_back({DNNL_ARG_BIAS, bias});
  return primitive;
}

void multiply(const Product &product, const void *x, const void *weight, float *result,
              const float *bias, Library &library, Workspace &workspace) {
  const Library::Key key = {key_product,
                            product.m,
                            product.n,
                            product.k,
                            product.x_stride,
                            product.weight_stride,
                            product.result_stride,
                            product.has_bias,
                            product.is_bf16};
  const auto primitive = library.find(key, [&] { return makeProduct(product, library.engine()); });
  if (product.has_bias)
    library.run(*primitive, workspace, {x, weight, result, bias});
  else
    library.run(*primitive, workspace, {x, weight, result});
}

// sgemm has a way of its own for one row, without a copy of the weight.
void multiplyRow(const Product &product, const float *x, const float *weight, float *result,
                 const float *bias) {
  check(dnnl_sgemm('N', 'T', 1, product.n, product.k, 1, x, product.k, weight,
                   product.weight_stride, 0, result, product.n),
        "sgemm");
  for (int64_t n = 0; bias && n < product.n; ++n)
    result[n] += bias[n];
}

uint64_t columnsOfAnItem(uint64_t rows, uint64_t k) {
  return rows > kFewRows ? kColumns : std::max<uint64_t>(kWeightsOfAnItem / k / 64 * 64, 64);
}

std::shared_ptr<const Primitive> rounding(uint64_t count, Library &library) {
  return library.find({key_rounding, static_cast<int64_t>(count)}, [&] {
    const memory::dims dims = {static_cast<int64_t>(count)};
    const memory::desc from(dims, memory::data_type::f32, memory::format_tag::a);
    const memory::desc to(dims, memory::data_type::bf16, memory::format_tag::a);
    const dnnl::reorder::primitive_desc made(library.engine(), from, library.engine(), to,
                                             ownScratchpad());
    return Primitive{
        dnnl::reorder(made), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}, made.scratchpad_desc()};
  });
}

// Rows of x as bf16, one after the other.
const uint16_t *roundedRows(const Matrix &x, Library &library, Workspace &workspace) {
  auto *rows = workspace.rows.of<uint16_t>(x.rows * x.columns);
  const auto round = rounding(x.columns, library);
  forEachItem(static_cast<int64_t>(x.rows), [&](int64_t begin, int64_t end) {
    Library::Lease mine(library);
    for (int64_t t = begin; t < end; ++t)
      library.run(*round, *mine, {x.row(t), rows + t * x.columns});
  });
  return rows;
}

} // namespace

void linear(const Step &step, Library &library) {
  const auto &[result, x, weight, bias, none, none2] = step.matrices;
  const bool is_bf16 = weight.element == element_bf16;
  Library::Lease lease(library); // holds the rounded rows until all items are done
  const uint64_t x_stride = is_bf16 ? x.columns : x.stride, size = is_bf16 ? 2 : 4;
  const char *rows = is_bf16 ? reinterpret_cast<const char *>(roundedRows(x, library, *lease))
                             : static_cast<const char *>(x.data);
  const uint64_t wide = columnsOfAnItem(x.rows, x.columns);
  const uint64_t across = (result.columns + wide - 1) / wide, down = (x.rows + kRows - 1) / kRows;
  forEachItem(static_cast<int64_t>(across * down), [&](int64_t begin, int64_t end) {
    Library::Lease mine(library);
    for (int64_t item = begin; item < end; ++item) {
      const uint64_t t = item / across * kRows, n = item % across * wide;
      const Product product = {static_cast<int64_t>(std::min(kRows, x.rows - t)),
                               static_cast<int64_t>(std::min(wide, result.columns - n)),
                               static_cast<int64_t>(x.columns),
                               static_cast<int64_t>(x_stride),
                               static_cast<int64_t>(weight.stride),
                               static_cast<int64_t>(result.stride),
                               bias.data != nullptr,
                               is_bf16};
      const char *from = rows + t * x_stride * size;
      const char *of = static_cast<const char *>(weight.data) + n * weight.stride * size;
      const float *plus = bias.data ? bias.row(0) + n : nullptr;
      if (x.rows == 1 && !is_bf16)
        multiplyRow(product, x.row(0), reinterpret_cast<const float *>(of), result.row(0) + n,
                    plus);
      else
        multiply(product, from, of, result.row(t) + n, plus, library, *mine);
    }
  });
}

// ---- Folds of latent attention ------------------------------------------------------------------

// Rows of kv_b per head are [W_UK nope | W_UV v]. An item is a head.
void absorbQuery(const Step &step, Library &library) {
  const auto &[result, input, kv_b, none, none2, none3] = step.matrices;
  const Heads &heads = step.instruction->heads;
  const uint64_t latent = kv_b.columns, in = heads.nope + heads.rope, out = latent + heads.rope;
  forEachItem(static_cast<int64_t>(heads.count), [&](int64_t begin, int64_t end) {
    Library::Lease lease(library);
    for (int64_t h = begin; h < end; ++h) {
      const float *weight = kv_b.row(h * (heads.nope + heads.v));
      check(dnnl_sgemm('N', 'N', input.rows, latent, heads.nope, 1, input.row(0) + h * in,
                       input.stride, weight, kv_b.stride, 0, result.row(0) + h * out,
                       result.stride),
            "sgemm");
      for (uint64_t t = 0; t < input.rows; ++t)
        std::copy_n(input.row(t) + h * in + heads.nope, heads.rope,
                    result.row(t) + h * out + latent);
    }
  });
}

void expandValue(const Step &step, Library &library) {
  const auto &[result, input, kv_b, none, none2, none3] = step.matrices;
  const Heads &heads = step.instruction->heads;
  const uint64_t latent = kv_b.columns;
  forEachItem(static_cast<int64_t>(heads.count), [&](int64_t begin, int64_t end) {
    Library::Lease lease(library);
    for (int64_t h = begin; h < end; ++h)
      check(dnnl_sgemm('N', 'T', input.rows, heads.v, latent, 1, input.row(0) + h * latent,
                       input.stride, kv_b.row(h * (heads.nope + heads.v) + heads.nope), kv_b.stride,
                       0, result.row(0) + h * heads.v, result.stride),
            "sgemm");
  });
}

} // namespace onednn
