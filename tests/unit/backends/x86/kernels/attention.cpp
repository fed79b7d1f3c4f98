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
    AttentionParams p = {cache, s.heads, floatBits(scale), s.window, qs, rs, s.rows_per_item};
    int64_t result = memory.space<float>(step.rows() * rs);
    memory.run(lathe_x86_attention, {memory.put(q), place, result}, p, attentionItems(p));
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

TEST(Attention, fillsTheWholeContext) {
  runAttention({2, 1, 8, 8, Format::bf16, 0, 32}, {makeStep({{1, 0, 300}})});
}

} // namespace
} // namespace lathe::x86
