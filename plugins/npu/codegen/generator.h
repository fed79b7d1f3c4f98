// Makes code of a program, op by op: each becomes launches of kernels. The same functions answer
// whether an op is taken: it is, if they make code of it alone.
#pragma once

#include "codegen/weights.h"
#include "kernels/kernels.h"
#include "plugin/code.h"

#include <map>

namespace npu::codegen {

using plugin::Count;
using plugin::Launch;
using plugin::Source;

// A matrix in global memory while an entry runs.
struct Matrix {
  Source at; // of Scratch: `index` says which piece
  DType type = DType::F32;
  Count rows;
  uint64_t cols = 0, ld = 0;

  uint64_t row_bytes() const { return bytesOf(type, cols); }
  bool dense() const { return ld == row_bytes(); }
  // Columns [begin, begin + count).
  Matrix columns(uint64_t begin, uint64_t count) const;
  // Each row cut into `parts` rows; only of dense matrices.
  Matrix split(uint64_t parts) const;
};

// Rows in f16 that were multiplied by powers of two; `factors` has what undoes that, one a row.
struct ScaledRows {
  Matrix rows, factors;
};

// A weight before it is known how a kernel wants it.
struct Weight {
  const lathe_constant *constant = nullptr; // NULL where only the op is asked about
  Type type;
  uint64_t rows() const { return type.rows.factor; } // of a matrix
};

// A refusal: what kind of reason, and the text.
struct Refusal {
  uint32_t reason = LATHE_REASON_NONE;
  std::string text;
};

class Generator {
public:
  explicit Generator(const Device &device);

  const Device &device;
  Refusal refusal;       // why the last function failed
  std::string converted; // what is rounded to another type, for people; see note()

  // An entry from its function; then the ops.
  Status begin_entry(const lathe_function &function);
  Status add(const Op &op);
  Status end_entry(const lathe_function &function);
  // An op that stands alone: unknown values become inputs, unknown weights have no constant.
  Status ask(const Op &op, uint64_t rows);

  // ---- For the functions that lower ops.

  Status refuse(uint32_t reason, std::string why);
  Status unsupported_type(const Part &part, std::string_view takes);
  void note(const std::string &conversion); // once, however often it happens

  Result<Matrix> matrix(const Part &part); // refuses what is no tensor of f32, bf16, f16 or i32
  Result<Weight> weight(const Part &part);
  // Where a result goes; bound to its value.
  Matrix make(const Part &part, DType type);
  void bind(const Part &part, const Matrix &view);
  Matrix scratch(DType type, Count rows, uint64_t cols, uint64_t ld = 0);
  // The same numbers in another type; made once for each value.
  Result<Matrix> as(const Matrix &from, DType type);
  // As two parts of bf16 side by side.
  Result<Matrix> in_parts(const Matrix &from);
  // As one or two parts of f16, side by side.
  Result<ScaledRows> scaled(const Matrix &from, uint64_t parts);
  // f32, rounded to what bf16 has.
  Result<Matrix> as_if_bf16(const Matrix &from);

  // A cache's memory: its first byte in the state. `bytes` must be the same each time.
  Result<Source> cache(const Part &part, std::string_view what, uint64_t bytes);

  Source packed(const Weight &weight, const Packing &packing);
  // All rows of it in f32, dense.
  Source rows_of(const Weight &weight);

  // A kernel that is made once for each key.
  template <class Make> Result<uint32_t> kernel(const std::string &key, const Make &make) {
    if (auto known = kernels.find(key); known != kernels.end())
      return known->second;
    Result<Kernel> made = make();
    if (!made.ok()) {
      NPU_RETURN_IF_ERROR(refuse(LATHE_REASON_SHAPE_LIMIT, made.message()));
    }
    made->name = text(made->name, "_", code.module.kernels.size());
    code.module.kernels.push_back(std::move(*made));
    return kernels[key] = static_cast<uint32_t>(code.module.kernels.size() - 1);
  }

  // `items`: how much work there is to go round cores, most. `bytes` and `operations` are for the
  // estimate of costs, of one row.
  struct Work {
    CoreKind core = CoreKind::Aiv;
    uint64_t items = 1;
    double bytes = 0, operations = 0;
  };
  void launch(uint32_t kernel, std::string label, Count rows, std::vector<Source> args,
              const Work &work);

  uint64_t most(Count count) const { return count.of(max_rows, max_rows); }
  bool cube_has(DType type) const { return device.cube.find(type, type) != nullptr; }
  bool casts(DType from, DType to) const { // the vector unit
    auto known = device.vector.casts.find(from);
    return known != device.vector.casts.end() && known->second >> static_cast<unsigned>(to) & 1;
  }

  // ---- What was made.

  plugin::Code code;
  struct PackedWeight {
    Weight weight;
    Packing packing;
  };
  std::vector<PackedWeight> weights;
  double seconds = 0;

private:
  Result<Matrix> convert(const Matrix &from, kernels::MapOp how, DType type);
  Status copy_results(const lathe_function &function);
  void place_scratch();
  Status lower(const Op &op);

  std::map<std::string, uint32_t> kernels;
  std::map<std::string, uint32_t> packed_known;
  std::map<std::string, std::pair<uint64_t, uint64_t>> caches; // begin, bytes
  // Of the entry at hand:
  bool asking = false;
  uint64_t max_rows = 1;
  std::map<uint32_t, Matrix> values;
  std::map<uint32_t, Weight> known_weights;
  std::map<uint32_t, std::string> cache_names;
  std::map<uint32_t, uint32_t> result_of; // value -> number of the result
  std::map<std::string, Matrix> converted_known;
  std::map<std::string, ScaledRows> scaled_known;
  std::vector<uint64_t> pieces; // bytes of each piece of scratch
};

inline Source number(Count count) { return {Source::Number, 0, 0, count}; }
inline Source constant(uint64_t value) { return number({Count::Constant, value}); }

// Functions that lower ops, a group each; nullopt: not of this group.
using Lowered = std::optional<Status>;
Lowered lower_basic(Generator &g, const Op &op);     // lower_basic.cpp
Lowered lower_linear(Generator &g, const Op &op);    // lower_linear.cpp
Lowered lower_attention(Generator &g, const Op &op); // lower_attention.cpp
Lowered lower_moe(Generator &g, const Op &op);       // lower_moe.cpp

// Shared between them.
Status emit_map(Generator &g, kernels::MapOp op, const std::vector<Matrix> &inputs,
                const Matrix &output, float factor = 1);
Status emit_gather(Generator &g, const Source &index, const Matrix &table, const Count &table_rows,
                   const Matrix &out);

// What a product takes: c = a b^T with each group's part of a, b and c.
struct Product {
  Matrix a, c;
  Weight weight;
  uint64_t n = 0, k = 0;
  uint64_t groups = 1, a_group = 0, c_group = 0; // columns from one group to the next
  bool transposed = false;
  uint64_t first = 0, step = 0;  // rows of the weight, of Packing
  std::optional<Source> offsets; // a matrix for each expert; then also
  Source active;                 // what find_active gives
  bool precise = false;          // f32, or as near to it as the cube comes
  bool rounded_next = false;     // the result is rounded to bf16, which makes differences larger
  std::string label;
};
Status emit_product(Generator &g, const Product &product);

} // namespace npu::codegen
