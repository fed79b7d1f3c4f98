// Attention of rows over a cache: scores by sgemm, oneDNN's softmax, values by sgemm. An item is
// some heads of a tile of rows of one slot.
#include <algorithm>
#include <limits>

#include "border.h"
#include "kernels/kernels.h"

namespace onednn {
namespace {

using dnnl::memory;

enum { key_softmax = 100 }; // the first word of a key

constexpr uint64_t kHeads = 8;       // of an item at most
constexpr uint64_t kScoreRows = 64;  // rows times heads of an item at most
constexpr uint64_t kKeysAtOnce = 64; // scores are a multiple wide, so that few softmaxes are made

// Rows of one slot, one after the other.
struct Tile {
  uint64_t first, rows, keys; // keys that its rows see at most
};

struct Attention {
  Matrix result, query;
  // Copied and looked at once: hostile code may let a result stand where they are.
  std::vector<uint64_t> slots, positions;
  const CacheShape &shape;
  uint64_t heads, window;
  float scale;
  float *cache;

  float *keysOf(uint64_t slot, uint64_t head) const {
    return cache + (slot * shape.kv_heads + head) * shape.max_context * shape.key_dim;
  }
  float *valuesOf(uint64_t slot, uint64_t head) const {
    if (shape.is_latent)
      return keysOf(slot, head);
    return cache + valuesOffset(shape) / sizeof(float) +
           (slot * shape.kv_heads + head) * shape.max_context * shape.value_dim;
  }
  uint64_t valueStride() const { return shape.is_latent ? shape.key_dim : shape.value_dim; }
};

std::vector<uint64_t> indicesBelow(uint64_t most, const Matrix &indices, const char *name) {
  std::vector<uint64_t> copied(indices.rows);
  for (uint64_t t = 0; t < indices.rows; ++t) {
    const int64_t index = indices.indices()[t];
    if (index < 0 || static_cast<uint64_t>(index) >= most)
      fail(LATHE_ERROR_INVALID_ARGUMENT, "run: row " + std::to_string(t) + " has " + name + " " +
                                             std::to_string(index) + "; the cache has " +
                                             std::to_string(most));
    copied[t] = static_cast<uint64_t>(index);
  }
  return copied;
}

void writeCache(const Attention &attention, const Matrix &key, const Matrix &value) {
  const CacheShape &shape = attention.shape;
  for (uint64_t t = 0; t < key.rows; ++t)
    for (uint64_t head = 0; head < shape.kv_heads; ++head) {
      const uint64_t slot = attention.slots[t], position = attention.positions[t];
      copyRounded(attention.keysOf(slot, head) + position * shape.key_dim,
                  key.row(t) + head * shape.key_dim, shape.key_dim, shape.rounding);
      if (!shape.is_latent)
        copyRounded(attention.valuesOf(slot, head) + position * shape.value_dim,
                    value.row(t) + head * shape.value_dim, shape.value_dim, shape.rounding);
    }
}

std::vector<Tile> tilesOf(const Attention &attention, uint64_t most_rows) {
  std::vector<Tile> tiles;
  for (uint64_t t = 0; t < attention.query.rows; ++t) {
    const bool goes_on = !tiles.empty() && tiles.back().rows < most_rows &&
                         attention.slots[t] == attention.slots[t - 1];
    if (!goes_on)
      tiles.push_back({t, 0, 0});
    Tile &tile = tiles.back();
    ++tile.rows;
    tile.keys = std::max<uint64_t>(tile.keys, attention.positions[t] + 1);
  }
  return tiles;
}

// Softmax of `rows` rows of `columns` scores, in place.
void softmax(float *scores, uint64_t rows, uint64_t columns, Library &library,
             Workspace &workspace) {
  const auto m = static_cast<int64_t>(rows), n = static_cast<int64_t>(columns);
  const auto primitive = library.find({key_softmax, m, n}, [&] {
    const memory::desc desc({m, n}, memory::data_type::f32, memory::format_tag::ab);
    const dnnl::softmax_forward::primitive_desc made({dnnl::prop_kind::forward_inference, desc, 1},
                                                     ownScratchpad(), library.engine());
    return Primitive{dnnl::softmax_forward(made),
                     {{DNNL_ARG_SRC, desc}, {DNNL_ARG_DST, desc}},
                     made.scratchpad_desc()};
  });
  library.run(*primitive, workspace, {scores, scores});
}

// Heads [head, head + count) of one head of keys, for a tile. Scores are a row for each head and
// row of the tile, heads outside.
class Item {
public:
  Item(const Attention &attention, const Tile &tile, uint64_t head, uint64_t count,
       Workspace &workspace)
      : attention_(attention), tile_(tile), head_(head), count_(count),
        columns_((tile.keys + kKeysAtOnce - 1) / kKeysAtOnce * kKeysAtOnce),
        scores_(workspace.scores.of<float>(count * tile.rows * columns_)) {
    const uint64_t kv_head = head / (attention.heads / attention.shape.kv_heads);
    const uint64_t slot = attention.slots[tile.first];
    keys_ = attention.keysOf(slot, kv_head);
    values_ = attention.valuesOf(slot, kv_head);
  }

  void run(Library &library, Workspace &workspace) {
    const CacheShape &shape = attention_.shape;
    forEachPanel(attention_.query, shape.key_dim,
                 [&](float *query, uint64_t rows, uint64_t stride, float *scores) {
                   check(dnnl_sgemm('N', 'T', rows, tile_.keys, shape.key_dim, attention_.scale,
                                    query, stride, keys_, shape.key_dim, 0, scores, columns_),
                         "sgemm");
                 });
    mask();
    softmax(scores_, count_ * tile_.rows, columns_, library, workspace);
    forEachPanel(attention_.result, shape.value_dim,
                 [&](float *result, uint64_t rows, uint64_t stride, float *scores) {
                   check(dnnl_sgemm('N', 'N', rows, shape.value_dim, tile_.keys, 1, scores,
                                    columns_, values_, attention_.valueStride(), 0, result, stride),
                         "sgemm");
                 });
  }

private:
  // Rows of scores whose other side has one stride: the rows of a head, or, of a single row, its
  // heads.
  template <typename Multiply>
  void forEachPanel(const Matrix &matrix, uint64_t columns, Multiply multiply) {
    float *first = matrix.row(tile_.first) + head_ * columns;
    if (tile_.rows == 1)
      return multiply(first, count_, columns, scores_);
    for (uint64_t h = 0; h < count_; ++h)
      multiply(first + h * columns, tile_.rows, matrix.stride, scores_ + h * tile_.rows * columns_);
  }

  // What a row does not see, and what fills the width up.
  void mask() {
    constexpr float never = -std::numeric_limits<float>::infinity();
    for (uint64_t i = 0; i < count_ * tile_.rows; ++i) {
      const uint64_t end = attention_.positions[tile_.first + i % tile_.rows] + 1;
      float *scores = scores_ + i * columns_;
      std::fill(scores + end, scores + columns_, never);
      if (attention_.window > 0 && end > attention_.window)
        std::fill(scores, scores + (end - attention_.window), never);
    }
  }

  const Attention &attention_;
  const Tile &tile_;
  uint64_t head_, count_, columns_;
  float *scores_;
  const float *keys_, *values_;
};

} // namespace

void attention(const Step &step, Library &library) {
  const auto &[result, query, key, value, slots, positions] = step.matrices;
  const Instruction &instruction = *step.instruction;
  const Attention attention = {result,
                               query,
                               indicesBelow(instruction.cache.slots, slots, "slot"),
                               indicesBelow(instruction.cache.max_context, positions, "position"),
                               instruction.cache,
                               instruction.heads.count,
                               instruction.heads.window,
                               static_cast<float>(instruction.real),
                               step.cache};
  writeCache(attention, key, value);
  const uint64_t group = attention.heads / attention.shape.kv_heads;
  const uint64_t heads = std::min(group, kHeads), pieces = (group + heads - 1) / heads;
  const std::vector<Tile> tiles = tilesOf(attention, kScoreRows / heads);
  const uint64_t per_tile = attention.shape.kv_heads * pieces;
  forEachItem(static_cast<int64_t>(tiles.size() * per_tile), [&](int64_t begin, int64_t end) {
    Library::Lease lease(library);
    for (int64_t item = begin; item < end; ++item) {
      const uint64_t in_tile = item % per_tile, kv_head = in_tile / pieces;
      const uint64_t first = in_tile % pieces * heads;
      Item(attention, tiles[item / per_tile], kv_head * group + first,
           std::min(heads, group - first), *lease)
          .run(library, *lease);
    }
  });
}

} // namespace onednn
