// Attention over caches of keys and values and over latents, against the formulas of the dialect.
#include "tests/unit/plugins/onednn/onednn_plugin.h"

namespace lathe::plugins {
namespace {

struct Row {
  int32_t slot, position;
};

// What a row of `width` columns stands for, by (slot, position).
using Memory = std::map<std::pair<int32_t, int32_t>, Floats>;

Floats rowOf(const Floats &matrix, size_t row, size_t width) {
  return {matrix.begin() + row * width, matrix.begin() + (row + 1) * width};
}

void store(Memory &memory, const std::vector<Row> &rows, const Floats &matrix, bool is_bf16) {
  const size_t width = matrix.size() / rows.size();
  for (size_t t = 0; t < rows.size(); ++t) {
    const Floats row = rowOf(matrix, t, width);
    memory[{rows[t].slot, rows[t].position}] = is_bf16 ? roundedToBf16(row) : row;
  }
}

struct Heads {
  size_t heads, kv_heads, key_dim, value_dim;
  int32_t window = 0;
  bool is_bf16 = false;
};

// One head of one row, in double precision.
Floats attend(const float *query, const Memory &keys, const Memory &values, Row row, size_t kv_head,
              const Heads &shape, double scale) {
  std::vector<double> weights;
  double sum = 0;
  const int32_t first = shape.window ? std::max(0, row.position + 1 - shape.window) : 0;
  for (int32_t s = first; s <= row.position; ++s) {
    double score = 0;
    for (size_t j = 0; j < shape.key_dim; ++j)
      score += double{query[j]} * keys.at({row.slot, s})[kv_head * shape.key_dim + j];
    weights.push_back(std::exp(score * scale));
    sum += weights.back();
  }
  Floats result(shape.value_dim);
  for (size_t j = 0; j < shape.value_dim; ++j) {
    double value = 0;
    for (int32_t s = first; s <= row.position; ++s)
      value += weights[s - first] / sum * values.at({row.slot, s})[kv_head * shape.value_dim + j];
    result[j] = static_cast<float>(value);
  }
  return result;
}

constexpr double kScale = 0.25;
constexpr int64_t kSlots = 2, kContext = 150;

std::vector<Floats> indicesOf(const std::vector<Row> &rows) {
  std::vector<int32_t> slots, positions;
  for (const Row &row : rows) {
    slots.push_back(row.slot);
    positions.push_back(row.position);
  }
  return {indices(slots), indices(positions)};
}

std::vector<Row> rowsOf(int32_t slot, int32_t first, int32_t count) {
  std::vector<Row> rows;
  for (int32_t t = 0; t < count; ++t)
    rows.push_back({slot, first + t});
  return rows;
}

// A conversation of two slots: many rows, one row, rows of both in one step, and one more.
std::vector<std::vector<Row>> conversation() {
  std::vector<Row> mixed = rowsOf(0, 71, 2);
  for (const Row &row : rowsOf(1, 1, 9))
    mixed.push_back(row);
  mixed.push_back({0, 73});
  return {rowsOf(0, 0, 70), rowsOf(0, 70, 1), rowsOf(1, 0, 1), mixed, rowsOf(0, 74, 1)};
}

class OnednnAttention : public OnednnTest {
protected:
  std::unique_ptr<Loaded> load(ProgramBuilder &builder) {
    auto compiled = Compiled::make(*plugin_, builder.program());
    EXPECT_TRUE(compiled.ok()) << compiled.status();
    auto loaded = Loaded::make(*plugin_, *compiled);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return std::make_unique<Loaded>(*std::move(loaded));
  }
};

struct KvProgram {
  explicit KvProgram(const Heads &shape) {
    lathe_type type = {};
    type.kind = LATHE_TYPE_KV_CACHE;
    type.element = shape.is_bf16 ? LATHE_ELEMENT_BF16 : LATHE_ELEMENT_F32;
    type.slots = kSlots;
    type.max_context = kContext;
    type.kv_heads = static_cast<int64_t>(shape.kv_heads);
    type.key_dim = static_cast<int64_t>(shape.key_dim);
    type.value_dim = static_cast<int64_t>(shape.value_dim);
    const lathe_type *cache_type = builder.type(type);
    const auto columns = [](size_t a, size_t b) { return static_cast<int64_t>(a * b); };
    builder.function("f", 80);
    const auto rows = [&](const char *name, int64_t width) {
      return builder.input(name, builder.rows(width));
    };
    const auto index = [&](const char *name) {
      return builder.input(name, builder.tensor({LATHE_EXTENT_ROWS}, LATHE_ELEMENT_I32));
    };
    const lathe_value *q = rows("q", columns(shape.heads, shape.key_dim));
    const lathe_value *k = rows("k", columns(shape.kv_heads, shape.key_dim));
    const lathe_value *v = rows("v", columns(shape.kv_heads, shape.value_dim));
    const lathe_value *slots = index("slots"), *positions = index("positions");
    const lathe_value *cache = builder.input("layers.0.kv", cache_type);
    std::vector<Attribute> attributes = {{"num_heads", 0, shape.heads}, {"softmax_scale", kScale}};
    if (shape.window)
      attributes.push_back({"window", 0, shape.window});
    const auto results = builder.op(
        "lathe.attention",
        {{"query", q},
         {"key", k},
         {"value", v},
         {"slots", slots},
         {"positions", positions},
         {"cache", cache}},
        {{"result", builder.rows(columns(shape.heads, shape.value_dim))}, {"updated", cache_type}},
        attributes);
    builder.result("y", results[0]);
    builder.result("layers.0.kv", results[1]);
  }

  ProgramBuilder builder;
};

TEST_F(OnednnAttention, seesWhatItsSlotHasWritten) {
  const Heads shapes[] = {{4, 4, 16, 16}, {6, 2, 8, 12},     {12, 1, 5, 3},
                          {1, 1, 7, 7},   {4, 2, 16, 16, 5}, {4, 2, 16, 16, 0, true},
                          {20, 2, 8, 8},  {2, 2, 16, 16, 64}};
  for (const Heads &shape : shapes) {
    SCOPED_TRACE(testing::Message()
                 << shape.heads << " heads of " << shape.kv_heads << ", window " << shape.window);
    KvProgram program(shape);
    auto loaded = load(program.builder);
    Memory keys, values;
    uint32_t seed = 1;
    for (const std::vector<Row> &rows : conversation()) {
      const size_t count = rows.size(), wide = shape.heads * shape.value_dim;
      const Floats q = numbers(count * shape.heads * shape.key_dim, ++seed),
                   k = numbers(count * shape.kv_heads * shape.key_dim, ++seed),
                   v = numbers(count * shape.kv_heads * shape.value_dim, ++seed);
      store(keys, rows, k, shape.is_bf16);
      store(values, rows, v, shape.is_bf16);
      auto results = loaded->run("f", {q, k, v, indicesOf(rows)[0], indicesOf(rows)[1]},
                                 {count * wide}, static_cast<int64_t>(count), 0);
      ASSERT_TRUE(results.ok()) << results.status();
      Floats expected;
      for (size_t t = 0; t < count; ++t)
        for (size_t h = 0; h < shape.heads; ++h)
          for (float value : attend(&q[(t * shape.heads + h) * shape.key_dim], keys, values,
                                    rows[t], h / (shape.heads / shape.kv_heads), shape, kScale))
            expected.push_back(value);
      expectNear((*results)[0], expected, 1e-5);
    }
  }
}

TEST_F(OnednnAttention, refusesRowsThatItsCacheHasNoPlaceFor) {
  KvProgram program({1, 1, 4, 4});
  auto loaded = load(program.builder);
  for (Row row : {Row{2, 0}, Row{-1, 0}, Row{0, kContext}, Row{0, -1}}) {
    const auto at = indicesOf({row});
    auto status = loaded->run("f", {Floats(4), Floats(4), Floats(4), at[0], at[1]}, {4}, 1, 0);
    EXPECT_EQ(status.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status.status().message(), testing::HasSubstr("the cache has "));
  }
}

// ---- Latents ------------------------------------------------------------------------------------

constexpr size_t kHeads = 3, kNope = 6, kRope = 4, kV = 5, kLatent = 8;
constexpr size_t kRowsOfB = kHeads * (kNope + kV), kWide = kLatent + kRope;

// Keys and values of each head, made of latents as the formula says: the materialised form.
void expand(const Memory &latents, const Floats &kv_b, Memory &keys, Memory &values) {
  for (const auto &[at, latent] : latents) {
    const Floats compressed(latent.begin(), latent.begin() + kLatent);
    const Floats both = linear(compressed, kv_b, {}, kLatent);
    Floats key, value;
    for (size_t h = 0; h < kHeads; ++h) {
      const float *begin = &both[h * (kNope + kV)];
      key.insert(key.end(), begin, begin + kNope);
      key.insert(key.end(), latent.begin() + kLatent, latent.end());
      value.insert(value.end(), begin + kNope, begin + kNope + kV);
    }
    keys[at] = key;
    values[at] = value;
  }
}

struct LatentProgram {
  // With the folds in the op, or outside of it.
  LatentProgram(const Floats &kv_b, bool is_folded) {
    lathe_type type = {};
    type.kind = LATHE_TYPE_LATENT_CACHE;
    type.element = LATHE_ELEMENT_F32;
    type.slots = kSlots;
    type.max_context = kContext;
    type.kv_lora_rank = kLatent;
    type.rope_dim = kRope;
    const lathe_type *cache_type = builder.type(type);
    builder.function("f", 80);
    const lathe_value *q = builder.input("q", builder.rows(kHeads * (kNope + kRope)));
    const lathe_value *latent = builder.input("latent", builder.rows(kWide));
    const auto index = [&](const char *name) {
      return builder.input(name, builder.tensor({LATHE_EXTENT_ROWS}, LATHE_ELEMENT_I32));
    };
    const lathe_value *slots = index("slots"), *positions = index("positions");
    const lathe_value *cache = builder.input("layers.0.latent", cache_type);
    const lathe_value *b = builder.weight("kv_b", builder.tensor({kRowsOfB, kLatent}),
                                          storedAs(LATHE_ELEMENT_F32, kv_b));
    const std::vector<Attribute> fold = {{"num_heads", 0, kHeads},
                                         {"qk_nope_head_dim", 0, kNope},
                                         {"qk_rope_head_dim", 0, kRope},
                                         {"v_head_dim", 0, kV}};
    std::vector<Attribute> attributes = fold;
    attributes.push_back({"softmax_scale", kScale});
    if (is_folded)
      q = builder.op("lathe.absorb_query", {{"input", q}, {"kv_b", b}},
                     builder.rows(kHeads * kWide), fold);
    Operands operands = {{"query", q},
                         {"latent", latent},
                         {"slots", slots},
                         {"positions", positions},
                         {"cache", cache}};
    if (!is_folded)
      operands.emplace_back("kv_b", b);
    const auto results = builder.op(
        "lathe.mla_attention", operands,
        {{"result", builder.rows(kHeads * (is_folded ? kLatent : kV))}, {"updated", cache_type}},
        attributes);
    const lathe_value *y = results[0];
    if (is_folded)
      y = builder.op("lathe.expand_value", {{"input", y}, {"kv_b", b}}, builder.rows(kHeads * kV),
                     fold);
    builder.result("y", y);
    builder.result("layers.0.latent", results[1]);
  }

  ProgramBuilder builder;
};

TEST_F(OnednnAttention, overLatentsIsAttentionOverWhatTheyExpandTo) {
  const Floats kv_b = numbers(kRowsOfB * kLatent, 99);
  for (bool is_folded : {false, true}) {
    LatentProgram program(kv_b, is_folded);
    auto loaded = load(program.builder);
    Memory latents;
    uint32_t seed = 1;
    for (const std::vector<Row> &rows : conversation()) {
      const size_t count = rows.size();
      const Floats q = numbers(count * kHeads * (kNope + kRope), ++seed),
                   latent = numbers(count * kWide, ++seed);
      store(latents, rows, latent, false);
      Memory keys, values;
      expand(latents, kv_b, keys, values);
      auto results = loaded->run("f", {q, latent, indicesOf(rows)[0], indicesOf(rows)[1]},
                                 {count * kHeads * kV}, static_cast<int64_t>(count), 0);
      ASSERT_TRUE(results.ok()) << results.status();
      Floats expected;
      for (size_t t = 0; t < count; ++t)
        for (size_t h = 0; h < kHeads; ++h)
          for (float value : attend(&q[(t * kHeads + h) * (kNope + kRope)], keys, values, rows[t],
                                    h, {kHeads, kHeads, kNope + kRope, kV}, kScale))
            expected.push_back(value);
      expectNear((*results)[0], expected, 2e-5);
    }
  }
}

} // namespace
} // namespace lathe::plugins
