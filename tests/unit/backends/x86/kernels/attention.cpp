#include "backends/x86/kernels/attention.h"

#include "sequence.h"

namespace lathe::x86 {
namespace {

struct Shape {
  int64_t heads, kv_heads, key_dim, value_dim, format, window, rows_per_item;
};

void runAttention(const Shape &s, const std::vector<RaggedStep> &steps) {
  SCOPED_TRACE(testing::Message() << s.heads << "/" << s.kv_heads << " heads, dims " << s.key_dim
                                  << "/" << s.value_dim << " format " << s.format << " window "
                                  << s.window);
  StepMemory memory(1);
  KvCacheParams cache = {3, 300, s.kv_heads, s.key_dim, s.value_dim, s.format};
  int64_t place = memory.zeros<char>(kvCacheBytes(cache));
  float scale = 1 / std::sqrt(static_cast<float>(s.key_dim));
  int64_t qs = s.heads * s.key_dim + 1, ks = s.kv_heads * s.key_dim + 2,
          vs = s.kv_heads * s.value_dim + 3;
  int64_t rs = s.heads * s.value_dim + 4;
  CachedRows keys, values;
  unsigned seed = 1;
  for (const RaggedStep &step : steps) {
    setStep(memory, step);
    std::vector<float> q = randomFloats(step.rows() * qs, ++seed, 2),
                       k = randomFloats(step.rows() * ks, ++seed),
                       v = randomFloats(step.rows() * vs, ++seed);
    for (int64_t t = 0; t < step.rows(); ++t) {
      std::pair<int32_t, int32_t> at = {step.slots[size_t(t)], step.positions[size_t(t)]};
      for (int64_t j = 0; j < s.kv_heads * s.key_dim; ++j)
        keys[at].push_back(inCache(s.format, k[size_t(t * ks + j)]));
      for (int64_t j = 0; j < s.kv_heads * s.value_dim; ++j)
        values[at].push_back(inCache(s.format, v[size_t(t * vs + j)]));
    }
    AttentionWriteParams write = {cache, ks, vs};
    memory.run(lathe_x86_attention_write, {memory.put(k), memory.put(v), place}, write,
               attentionWriteItems(write));
    AttentionParams p = {cache, s.heads, floatBits(scale), s.window, qs, rs, s.rows_per_item, 0};
    int64_t query = memory.put(q), result = memory.space<float>(step.rows() * rs),
            rounded = memory.space<float>(step.rows() * rs);
    memory.run(lathe_x86_attention, {query, place, result}, p, attentionItems(p));
    p.may_round = 1;
    memory.run(lathe_x86_attention, {query, place, rounded}, p, attentionItems(p));
    for (int64_t t = 0; t < step.rows(); ++t)
      for (int64_t h = 0; h < s.heads; ++h) {
        int64_t kv = h / (s.heads / s.kv_heads);
        int32_t slot = step.slots[size_t(t)], position = step.positions[size_t(t)];
        std::vector<double> scores;
        int32_t first = s.window ? std::max<int32_t>(0, position - int32_t(s.window) + 1) : 0;
        for (int32_t i = first; i <= position; ++i) {
          double score = 0;
          for (int64_t j = 0; j < s.key_dim; ++j)
            score += q[size_t(t * qs + h * s.key_dim + j)] *
                     keys.at({slot, i})[size_t(kv * s.key_dim + j)];
          scores.push_back(score * scale);
        }
        for (int64_t j = 0; j < s.value_dim; ++j) {
          std::vector<double> column;
          for (int32_t i = first; i <= position; ++i)
            column.push_back(values.at({slot, i})[size_t(kv * s.value_dim + j)]);
          double size = 0, want = attend(scores, column, &size);
          expectNear(memory.at<float>(result)[t * rs + h * s.value_dim + j], want, size, 1e-5,
                     "result", t, h * s.value_dim + j);
          expectNear(memory.at<float>(rounded)[t * rs + h * s.value_dim + j], want, size, 0.1,
                     "rounded", t, h * s.value_dim + j);
        }
      }
  }
}

const std::vector<RaggedStep> ragged = {
    makeStep({{2, 0, 70}, {0, 0, 3}, {1, 0, 20}}),
    makeStep({{0, 3, 2}, {2, 70, 9}, {0, 5, 1}}), // a slot comes back after another
    makeStep({{2, 79, 1}}),
};

TEST(Attention, agreesWithDoubleOverRaggedSteps) {
  for (int64_t format : {Format::f32, Format::bf16, Format::f16}) {
    runAttention({4, 2, 16, 16, format, 0, 8}, ragged);
    runAttention({9, 3, 20, 12, format, 0, 5}, ragged);
    runAttention({6, 1, 33, 50, format, 0, 64}, ragged);
    runAttention({3, 3, 64, 64, format, 0, 1}, ragged);
  }
}

TEST(Attention, looksBackNoFurtherThanItsWindow) {
  for (int64_t window : {1, 2, 16, 64, 65, 1000})
    runAttention({4, 2, 16, 20, Format::f32, window, 16}, ragged);
}

TEST(Attention, takesGroupsLargerThanItsBlockOfQueries) {
  runAttention({100, 1, 8, 8, Format::f32, 0, 3}, {makeStep({{0, 0, 10}})});
}

// Heads, dimensions, windows, slots and cuts of all kinds: blocks begin and end in tiles of rows
// and of keys, and rows are any number.
TEST(Attention, agreesWithDoubleInRandomShapes) {
  std::mt19937 random(5);
  auto upTo = [&](int64_t most) { return 1 + static_cast<int64_t>(random()) % most; };
  for (int i = 0; i < 12; ++i) {
    int64_t kv_heads = upTo(3), rows = upTo(90), later = upTo(60);
    Shape shape = {kv_heads * upTo(5),    kv_heads, upTo(80), upTo(80), upTo(3) - 1,
                   i % 3 ? 0 : upTo(150), upTo(64)};
    runAttention(shape, {makeStep({{1, 0, int32_t(rows)}, {0, 0, int32_t(upTo(20))}}),
                         makeStep({{1, int32_t(rows), int32_t(later)}})});
  }
}

// However rows are cut into items of several, a row gets the same bits.
TEST(Attention, givesARowTheSameBitsInAnyCompany) {
  for (int64_t format : {Format::f32, Format::bf16}) {
    StepMemory memory(1);
    KvCacheParams cache = {1, 150, 2, 40, 24, format};
    int64_t place = memory.zeros<char>(kvCacheBytes(cache));
    setStep(memory, makeStep({{0, 0, 150}}));
    AttentionWriteParams write = {cache, 80, 48};
    memory.run(
        lathe_x86_attention_write,
        {memory.put(randomFloats(150 * 80, 1)), memory.put(randomFloats(150 * 48, 2)), place},
        write, attentionWriteItems(write));
    int64_t query = memory.put(randomFloats(150 * 240, 3)), result = memory.space<float>(150 * 144);
    std::vector<float> expected;
    for (int64_t rows_per_item : {2, 7, 33, 64}) {
      AttentionParams p = {cache, 6, floatBits(0.3f), 0, 240, 144, rows_per_item, 0};
      memory.run(lathe_x86_attention, {query, place, result}, p, attentionItems(p));
      const float *got = memory.at<float>(result);
      if (expected.empty())
        expected.assign(got, got + 150 * 144);
      EXPECT_EQ(std::memcmp(expected.data(), got, expected.size() * 4), 0)
          << rows_per_item << " rows an item";
    }
  }
}

// Keys that differ in their last bits: probabilities are nearly the same and none is lost.
TEST(Attention, sharesOutNearTies) {
  StepMemory memory(1);
  constexpr int64_t keys = 130, dim = 32;
  KvCacheParams cache = {1, keys, 1, dim, 16, Format::f32};
  int64_t place = memory.zeros<char>(kvCacheBytes(cache));
  setStep(memory, makeStep({{0, 0, keys}}));
  std::vector<float> k(keys * dim, 1.0f), v = randomFloats(keys * 16, 2);
  for (int64_t i = 0; i < keys; ++i)
    k[size_t(i * dim)] += static_cast<float>(i % 3) * 0x1p-23f;
  AttentionWriteParams write = {cache, dim, 16};
  memory.run(lathe_x86_attention_write, {memory.put(k), memory.put(v), place}, write,
             attentionWriteItems(write));
  AttentionParams p = {cache, 1, floatBits(1.0f), 0, dim, 16, 64, 0};
  int64_t result = memory.space<float>(keys * 16);
  memory.run(lathe_x86_attention,
             {memory.put(std::vector<float>(keys * dim, 0.75f)), place, result}, p,
             attentionItems(p));
  for (int64_t t = 0; t < keys; ++t)
    for (int64_t j = 0; j < 16; ++j) {
      double sum = 0, size = 0;
      for (int64_t i = 0; i <= t; ++i) {
        sum += v[size_t(i * 16 + j)] / double(t + 1);
        size += std::abs(v[size_t(i * 16 + j)]) / double(t + 1);
      }
      expectNear(memory.at<float>(result)[t * 16 + j], sum, size, 1e-5, "result", t, j);
    }
}

TEST(Attention, fillsTheWholeContext) {
  runAttention({2, 1, 8, 8, Format::bf16, 0, 32}, {makeStep({{1, 0, 300}})});
}

} // namespace
} // namespace lathe::x86
