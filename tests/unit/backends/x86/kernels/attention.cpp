#include "backends/x86/kernels/attention.h"

#include "sequence.h"

namespace lathe::x86 {
namespace {

struct Shape {
  int64_t heads, kv_heads, key_dim, value_dim, format, window, rows_per_item;
};

// A layer's state, and what the cache should hold.
struct Keys {
  Shape s;
  StepMemory memory{1};
  KvCacheParams cache;
  int64_t place;
  CachedRows keys, values;
  unsigned seed = 1;
  float scale;

  explicit Keys(const Shape &shape, int64_t max_context = 300)
      : s(shape), cache{3, max_context, s.kv_heads, s.key_dim, s.value_dim, s.format},
        place(memory.zeros<char>(kvCacheBytes(cache))),
        scale(1 / std::sqrt(static_cast<float>(s.key_dim))) {}

  void write(const RaggedStep &step) {
    setStep(memory, step);
    int64_t ks = s.kv_heads * s.key_dim + 2, vs = s.kv_heads * s.value_dim + 3;
    std::vector<float> k = randomFloats(step.rows() * ks, ++seed),
                       v = randomFloats(step.rows() * vs, ++seed);
    for (int64_t t = 0; t < step.rows(); ++t) {
      std::pair<int32_t, int32_t> at = {step.slots[size_t(t)], step.positions[size_t(t)]};
      for (int64_t j = 0; j < s.kv_heads * s.key_dim; ++j)
        keys[at].push_back(inCache(s.format, k[size_t(t * ks + j)]));
      for (int64_t j = 0; j < s.kv_heads * s.value_dim; ++j)
        values[at].push_back(inCache(s.format, v[size_t(t * vs + j)]));
    }
    AttentionWriteParams p = {cache, ks, vs};
    memory.run(lathe_x86_attention_write, {memory.put(k), memory.put(v), place}, p,
               attentionWriteItems(p));
  }

  // Of the keys from `first` to `last`, scaled.
  std::vector<double> scores(const float *q, int64_t kv, int32_t slot, int32_t first,
                             int32_t last) const {
    std::vector<double> result;
    for (int32_t i = first; i <= last; ++i) {
      double score = 0;
      for (int64_t j = 0; j < s.key_dim; ++j)
        score += q[j] * keys.at({slot, i})[size_t(kv * s.key_dim + j)];
      result.push_back(score * scale);
    }
    return result;
  }

  // What row t of a step has for head h.
  void expectHead(const RaggedStep &step, int64_t t, int64_t h, const float *q, const float *result,
                  double tolerance) const {
    int64_t kv = h / (s.heads / s.kv_heads);
    int32_t slot = step.slots[size_t(t)], position = step.positions[size_t(t)];
    int32_t first = s.window ? std::max<int32_t>(0, position - int32_t(s.window) + 1) : 0;
    std::vector<double> row = scores(q, kv, slot, first, position);
    for (int64_t j = 0; j < s.value_dim; ++j) {
      std::vector<double> column;
      for (int32_t i = first; i <= position; ++i)
        column.push_back(values.at({slot, i})[size_t(kv * s.value_dim + j)]);
      double size = 0, want = attend(row, column, &size);
      expectNear(result[j], want, size, tolerance, "result", t, h * s.value_dim + j);
    }
  }
  void expectRows(const RaggedStep &step, const float *q, int64_t qs, const float *result,
                  int64_t rs, double tolerance) const {
    for (int64_t t = 0; t < step.rows(); ++t)
      for (int64_t h = 0; h < s.heads; ++h)
        expectHead(step, t, h, q + t * qs + h * s.key_dim, result + t * rs + h * s.value_dim,
                   tolerance);
  }
};

testing::Message text(const Shape &s) {
  return testing::Message() << s.heads << "/" << s.kv_heads << " heads, dims " << s.key_dim << "/"
                            << s.value_dim << " format " << s.format << " window " << s.window;
}

void runAttention(const Shape &s, const std::vector<RaggedStep> &steps) {
  SCOPED_TRACE(text(s));
  Keys keys(s);
  StepMemory &memory = keys.memory;
  int64_t qs = s.heads * s.key_dim + 1, rs = s.heads * s.value_dim + 4;
  for (const RaggedStep &step : steps) {
    keys.write(step);
    std::vector<float> q = randomFloats(step.rows() * qs, ++keys.seed, 2);
    AttentionParams p = {keys.cache, s.heads,     floatBits(keys.scale), s.window, qs,
                         rs,         RowsIn::f32, s.rows_per_item,       64,       0};
    int64_t query = memory.put(q), result = memory.space<float>(step.rows() * rs);
    memory.run(lathe_x86_attention, {query, keys.place, result}, p, attentionItems(p));
    keys.expectRows(step, q.data(), qs, memory.at<float>(result), rs, 1e-5);
    p.may_round = 1;
    memory.run(lathe_x86_attention, {query, keys.place, result}, p, attentionItems(p));
    keys.expectRows(step, q.data(), qs, memory.at<float>(result), rs, 0.1);
    if (s.value_dim % 16)
      continue;
    p.result_in = RowsIn::bf16_steps, p.result_stride = stepStride(step.rows());
    int64_t steps = memory.space<char>(stepsBytes(step.rows(), s.heads * s.value_dim));
    memory.run(lathe_x86_attention, {query, keys.place, steps}, p, attentionItems(p));
    expectSteps(memory.at<uint16_t>(steps), memory.at<float>(result), step.rows(),
                s.heads * s.value_dim, rs);
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
      AttentionParams p = {cache, 6,           floatBits(0.3f), 0,  240,
                           144,   RowsIn::f32, rows_per_item,   64, 0};
      memory.run(lathe_x86_attention, {query, place, result}, p, attentionItems(p));
      const float *got = memory.at<float>(result);
      if (expected.empty())
        expected.assign(got, got + 150 * 144);
      EXPECT_EQ(std::memcmp(expected.data(), got, expected.size() * 4), 0)
          << rows_per_item << " rows an item";
    }
  }
}

// The row of a decode step whose query is `q`, in pieces: the place of its result.
int64_t decode(Keys &keys, const std::vector<float> &q, int64_t keys_per_piece) {
  StepMemory &memory = keys.memory;
  AttentionPieceParams p = {keys.cache, keys.s.heads, floatBits(keys.scale), keys.s.window,
                            keys_per_piece};
  MergePiecesParams merge = {attentionPieces(p), floatBits(1)};
  int64_t scratch = memory.space<char>(pieceScratch(merge.pieces)),
          result = memory.space<float>(keys.s.heads * keys.s.value_dim);
  memory.run(lathe_x86_attention_piece, {memory.put(q), keys.place, scratch}, p,
             pieceItems(merge.pieces));
  memory.run(lathe_x86_merge_pieces, {scratch, result}, merge, mergePiecesItems(merge));
  return result;
}

// The context is written first, then read at some lengths, the longest first, so that what is
// behind a shorter one is no zeros.
void runPieces(const Shape &s, int64_t context, int64_t keys_per_piece) {
  SCOPED_TRACE(text(s) << " context " << context << " pieces of " << keys_per_piece);
  Keys keys(s);
  keys.write(makeStep({{1, 0, int32_t(context)}}));
  for (int64_t length : {context, context * 2 / 3 + 1, int64_t{1}}) {
    RaggedStep step = makeStep({{1, int32_t(length - 1), 1}});
    setStep(keys.memory, step);
    std::vector<float> q = randomFloats(s.heads * s.key_dim, ++keys.seed, 2);
    int64_t result = decode(keys, q, keys_per_piece);
    keys.expectRows(step, q.data(), 0, keys.memory.at<float>(result), 0, 1e-5);
  }
}

TEST(AttentionPieces, agreeWithDoubleAtEveryLengthAndShape) {
  for (int64_t format : {Format::f32, Format::bf16, Format::f16}) {
    runPieces({7, 1, 64, 64, format, 0, 0}, 300, 64);
    runPieces({3, 3, 33, 50, format, 0, 0}, 65, 64);
    runPieces({12, 2, 20, 12, format, 0, 0}, 257, 128);
  }
  runPieces({130, 2, 8, 8, Format::f32, 0, 0}, 150, 64); // 65 heads of queries a head of keys
  std::mt19937 random(6);
  for (int i = 0; i < 12; ++i) {
    auto upTo = [&](int64_t most) { return 1 + static_cast<int64_t>(random()) % most; };
    int64_t kv_heads = upTo(3);
    runPieces({kv_heads * upTo(9), kv_heads, upTo(80), upTo(80), upTo(3) - 1, 0, 0}, upTo(300),
              64 * upTo(3));
  }
}

TEST(AttentionPieces, leaveOutWhatIsBehindTheWindow) {
  for (int64_t window : {1, 63, 64, 65, 100, 192, 1000})
    for (int64_t context : {64, 193, 300})
      runPieces({6, 2, 16, 20, Format::f32, window, 0}, context, 64);
}

#if !LATHE_X86_AMX // which takes several rows in another order
TEST(AttentionPieces, giveTheBitsOfStepsOfSeveralRows) {
  for (int64_t format : {Format::f32, Format::bf16})
    for (int64_t window : {0, 30, 200}) {
      Keys keys({6, 2, 24, 40, format, window, 0});
      RaggedStep all = makeStep({{1, 0, 290}});
      keys.write(all);
      int64_t qs = 6 * 24, rs = 6 * 40, rows = keys.memory.space<float>(290 * rs);
      std::vector<float> q = randomFloats(290 * qs, 9, 2);
      AttentionParams p = {keys.cache, 6, floatBits(keys.scale), window, qs, rs, RowsIn::f32, 32,
                           128,        0};
      keys.memory.run(lathe_x86_attention, {keys.memory.put(q), keys.place, rows}, p,
                      attentionItems(p));
      for (int32_t t : {0, 5, 127, 128, 129, 255, 256, 289}) {
        setStep(keys.memory, makeStep({{1, t, 1}}));
        int64_t one = decode(keys, {q.begin() + t * qs, q.begin() + (t + 1) * qs}, 128);
        EXPECT_EQ(std::memcmp(keys.memory.at<float>(one), keys.memory.at<float>(rows) + t * rs,
                              size_t(rs) * 4),
                  0)
            << "position " << t << " window " << window << " format " << format;
      }
    }
}
#endif

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
  AttentionParams p = {cache, 1, floatBits(1.0f), 0, dim, 16, RowsIn::f32, 64, 64, 0};
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
