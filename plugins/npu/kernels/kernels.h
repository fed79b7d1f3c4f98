// The kernels, a file each. Matrices in global memory are row-major; `ld` is the bytes from one row
// to the next. Row counts come as scalar arguments, since they are known only when a step runs;
// all else is fixed. Each function fails where the device lacks something (what `fits` says) or
// where its memories are too small.
#pragma once

#include "kernels/core.h"

namespace npu::kernels {

// ---- map.cpp: one pass over rows. Arguments: inputs..., output, rows.

// Split: a row of bf16 numbers, then a row of what they lack. Round: to numbers that bf16 has.
enum class MapOp : uint8_t { Copy, Add, Scale, Swiglu, Split, Round };

struct MapPlan {
  struct Matrix {
    DType type = f32;
    uint64_t ld = 0; // of an input 0: one row for all rows
    bool operator==(const Matrix &) const = default;
  };
  MapOp op = MapOp::Copy; // Copy converts where types differ
  uint64_t cols = 0;
  std::vector<Matrix> inputs;
  Matrix output;
  float factor = 1; // of Scale
};
Result<Kernel> map(const Device &device, const MapPlan &plan);

// ---- rms_norm.cpp: arguments x, scale (f32), y, rows. Rows have `groups` groups of `cols`.

struct NormPlan {
  uint64_t groups = 1, cols = 0, x_ld = 0, y_ld = 0;
  float epsilon = 0;
};
Result<Kernel> rms_norm(const Device &device, const NormPlan &plan);

// ---- gather.cpp: out[i] = table[index[i]]. Arguments index (i32), table, out, rows, table_rows.

struct GatherPlan {
  DType table = f32, out = f32;
  uint64_t cols = 0, table_ld = 0, out_ld = 0;
};
Result<Kernel> gather(const Device &device, const GatherPlan &plan);

// ---- rope.cpp

// Arguments positions (i32), out, rows; out has [cos | sin] of each frequency.
struct RopeTablePlan {
  std::vector<float> frequencies;
  float magnitude = 1;
};
Result<Kernel> rope_table(const Device &device, const RopeTablePlan &plan);

// Arguments x, table, y, rows. Of each head the d columns from `offset` are rotated.
struct RopePlan {
  uint64_t heads = 0, head_dim = 0, offset = 0, d = 0, x_ld = 0, y_ld = 0;
  bool pairs = false; // (2i, 2i + 1), else (i, i + d/2)
};
Result<Kernel> rope(const Device &device, const RopePlan &plan);

// ---- row_scales.cpp

// Arguments x (f32), y (f16: parts side by side, of which a row is the sum), factors (f32, one a
// row: what undoes its scale), rows.
struct ScalePlan {
  uint64_t cols = 0, x_ld = 0, y_ld = 0, parts = 1;
};
Result<Kernel> scale_rows(const Device &device, const ScalePlan &plan);

// Multiplies each row by its factor, where it is. Arguments c (f32), factors, rows; of a row
// `groups` pieces of `cols`, `group` bytes from one to the next.
struct UnscalePlan {
  uint64_t cols = 0, ld = 0, groups = 1, group = 0;
};
Result<Kernel> unscale_rows(const Device &device, const UnscalePlan &plan);

// ---- product.cpp: c = a b^T on the cube, f32 out of operands of one type

// What b is and which rows of a meet which b:
enum class ProductForm : uint8_t {
  Weights, // packed strips of tile_n rows (see `product_tiles`); `groups` of them side by side
  Experts, // as Weights, one after the other; expert e has rows offsets[e] to offsets[e + 1], and
           // `active` says how many experts have any, then which
  Scores,  // keys of a cache, rows [position + 1, k]; for each token `m` rows a group
  Values,  // values of a cache, [position + 1, n], and k = position + 1
};

// Arguments: a, b, c, then of Weights `rows`; of Experts `offsets`, `active`; of Scores and Values
// `slots`, `positions`, `rows`, `first`: tokens [first, min(rows, first + tokens)), of which a
// (Values) or c (Scores) holds only these.
struct ProductPlan {
  ProductForm form = ProductForm::Weights;
  DType type = f16;
  uint64_t m = 0; // most rows of a at once; of Scores and Values all of them
  uint64_t n = 0, k = 0;
  uint64_t a_ld = 0, c_ld = 0;
  uint64_t parts = 1, a_part = 0; // of a, a_part bytes from one to the next: rows are their sums
  uint64_t groups = 1, a_group = 0, c_group = 0; // bytes from one group to the next
  uint64_t experts = 1;
  bool factors = false; // packed strips end with an f32 a row, by which its products are multiplied
  // Caches: bytes between keys, groups, slots; tokens at once; a row of c or a for each token.
  uint64_t b_ld = 0, b_group = 0, b_slot = 0, tokens = 1, slots = 1;
};

struct ProductTiles {
  uint64_t m = 16, n = 16, k = 16, steps = 1; // of the cube; tiles of k in L1 at once
};
Result<ProductTiles> product_tiles(const Device &device, const ProductPlan &plan);
Result<Kernel> product(const Device &device, const ProductPlan &plan);
// Work items of the launch, most.
uint64_t product_items(const ProductPlan &plan, const ProductTiles &tiles);

// ---- attention.cpp

// Writes rows into a cache at (slot, position), converted. Arguments x, cache, slots, positions,
// rows. With `keys` the cache has blocks of so many rows in zN, as latent_decode reads them; then
// `cols` is a multiple of a fractal's.
struct AppendPlan {
  DType cache = f16;
  uint64_t cols = 0, x_ld = 0, max_context = 0, slots = 1, cache_ld = 0, keys = 0;
  bool as_bf16 = false; // rounded to bf16 first
};
Result<Kernel> append(const Device &device, const AppendPlan &plan);

// Rows of scores over position + 1 keys to rows of probabilities. Arguments scores (f32), p (f16),
// positions, rows, first. `heads` rows a token, `max_context` columns in both.
struct SoftmaxPlan {
  uint64_t heads = 0, max_context = 0, scores_ld = 0, p_ld = 0, tokens = 1, window = 0;
  float scale = 1;
};
Result<Kernel> softmax(const Device &device, const SoftmaxPlan &plan);

// ---- moe.cpp

// Arguments logits, [bias], indices, weights, rows.
struct RoutePlan {
  uint64_t experts = 0, top_k = 0, n_group = 1, topk_group = 1;
  bool sigmoid = false, top2_sum = false, renormalize = false, bias = false;
  float scale = 1;
};
Result<Kernel> route(const Device &device, const RoutePlan &plan);

// Sorts pairs by expert, stably. Arguments indices, order, tokens (order / top_k), offsets, rows.
struct DispatchPlan {
  uint64_t experts = 0, top_k = 0, max_rows = 0;
};
Result<Kernel> dispatch(const Device &device, const DispatchPlan &plan);

// Which experts have rows. Arguments offsets, active ([1 + experts]: how many, then which).
Result<Kernel> find_active(const Device &device, uint64_t experts);

// Arguments rows of experts, order, weights, out, rows (tokens).
struct CombinePlan {
  uint64_t cols = 0, top_k = 0, max_rows = 0, x_ld = 0, out_ld = 0;
};
Result<Kernel> combine(const Device &device, const CombinePlan &plan);

} // namespace npu::kernels
