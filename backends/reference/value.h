// What the reference interpreter's values are. All floats are held as f32, which every element type
// of the dialect (bf16, f16, e4m3, ...) fits into exactly; a value of a narrower type has been
// rounded. Values are immutable once they are in a Value: ops make new ones, caches too.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace lathe::reference {

enum class Element { f32, bf16, f16 };

// A float tensor of rank 1 to 3, row-major.
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> values;

  Tensor() = default;
  explicit Tensor(std::vector<int64_t> shape);
  Tensor(std::vector<int64_t> shape, std::vector<float> values);

  int64_t rows() const { return shape[0]; }
  int64_t columns() const { return shape.back(); }
  float *row(int64_t i) { return values.data() + i * columns(); }
  const float *row(int64_t i) const { return values.data() + i * columns(); }
};

struct Indices {
  std::vector<int64_t> shape;
  std::vector<int32_t> values;

  Indices() = default;
  explicit Indices(std::vector<int32_t> values);
  Indices(std::vector<int64_t> shape, std::vector<int32_t> values);
};

// A quantised matrix, or a stack of them. Scales are [.., ceil(rows / block_rows), ceil(columns /
// block_columns)].
struct Codes {
  std::vector<int64_t> shape;
  int64_t block_rows = 1, block_columns = 1;
  std::vector<float> codes, scales;

  int64_t rows() const { return shape[shape.size() - 2]; }
  int64_t columns() const { return shape.back(); }
  int64_t scaleRows() const { return (rows() + block_rows - 1) / block_rows; }
  int64_t scaleColumns() const { return (columns() + block_columns - 1) / block_columns; }
};

// One layer's state: per slot the entries of positions 0, 1, ... as far as one was written. What
// was skipped is zero.
struct SlotRows {
  int64_t columns = 0;
  bool bf16 = false; // what is written is rounded
  std::vector<std::vector<float>> slots;

  SlotRows() = default;
  SlotRows(int64_t num_slots, int64_t columns, bool bf16);
  void write(int64_t slot, int64_t position, const float *entry);
  const float *at(int64_t slot, int64_t position) const;
};

struct KvCache {
  int64_t kv_heads = 1, key_dim = 0, value_dim = 0, max_context = 0;
  SlotRows keys, values;
};

struct LatentCache {
  int64_t kv_lora_rank = 0, rope_dim = 0, max_context = 0;
  SlotRows latents; // [c_kv | k_rope]
};

template <typename T> using Shared = std::shared_ptr<const T>;
using Value = std::variant<std::monostate, Shared<Tensor>, Shared<Indices>, Shared<Codes>,
                           Shared<KvCache>, Shared<LatentCache>>;

template <typename T> Value share(T value) { return std::make_shared<const T>(std::move(value)); }

// The value as a T; nullptr if it is something else.
template <typename T> const T *as(const Value &value) {
  const Shared<T> *held = std::get_if<Shared<T>>(&value);
  return held ? held->get() : nullptr;
}

// Rounds to nearest even in `element`.
float rounded(float value, Element element);

// Matrix `index` of a stack [E, rows, columns].
Tensor matrixOf(const Tensor &stack, int64_t index);
Codes matrixOf(const Codes &stack, int64_t index);

} // namespace lathe::reference
