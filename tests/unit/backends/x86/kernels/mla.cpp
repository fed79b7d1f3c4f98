#include "backends/x86/kernels/mla.h"

#include "backends/x86/kernels/linear.h"
#include "sequence.h"

namespace lathe::x86 {
namespace {

struct Shape {
  int64_t heads, c, r, n, v, format;
  WeightCase weight;
};

// A layer's state and kv_b, and what the cache should hold.
struct Latents {
  Shape s;
  StepMemory memory{1};
  LatentCacheParams cache;
  int64_t place;
  std::unique_ptr<TestMatrix> kv_b;
  CachedRows rows;
  unsigned seed = 100;
  float scale;

  explicit Latents(const Shape &shape) : s(shape), cache{3, 300, s.c, s.r, s.format} {
    place = memory.zeros<char>(latentCacheBytes(cache));
    kv_b =
        testMatrix(s.heads * (s.n + s.v), s.c, s.weight.format, s.weight.block, 7, s.weight.codes);
    scale = 0.5f / std::sqrt(static_cast<float>(s.n + s.r));
  }

  double weight(int64_t head, int64_t row, int64_t k) const { // row: n of W_UK, then v of W_UV
    return kv_b->values[size_t((head * (s.n + s.v) + row) * s.c + k)];
  }
  int64_t pack(int64_t offset, int64_t count, bool transposed, TileLayout &layout) {
    MatrixView view = {s.heads, offset, s.n + s.v, count, transposed};
    return memory.put(packed({&kv_b->source, 1}, view, layout));
  }
  void write(const RaggedStep &step) {
    setStep(memory, step);
    int64_t stride = s.c + s.r + 3;
    std::vector<float> latent =
        randomFloats(step.rows() * stride, ++seed, s.weight.format == Format::e4m3 ? 0.2f : 1);
    for (int64_t t = 0; t < step.rows(); ++t)
      for (int64_t j = 0; j < s.c + s.r; ++j)
        rows[{step.slots[size_t(t)], step.positions[size_t(t)]}].push_back(
            inCache(s.format, latent[size_t(t * stride + j)]));
    MlaWriteParams p = {{RowSource::rows, 1, 3}, cache, stride};
    memory.run(lathe_x86_mla_write, {memory.put(latent), place}, p, mlaWriteItems(p));
  }
};

double dot(const double *a, const float *b, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += a[i] * b[i];
  return sum;
}

const std::vector<RaggedStep> ragged = {
    makeStep({{2, 0, 70}, {0, 0, 3}, {1, 0, 20}}),
    makeStep({{0, 3, 2}, {2, 70, 9}, {0, 5, 1}}),
    makeStep({{2, 79, 1}}),
};

double softmaxOfLatents(const Latents &latents, int32_t slot, int32_t position, const float *q,
                        int64_t column, double *size) {
  std::vector<double> scores, values;
  for (int32_t i = 0; i <= position; ++i) {
    const std::vector<double> &latent = latents.rows.at({slot, i});
    scores.push_back(latents.scale * dot(latent.data(), q, latents.s.c + latents.s.r));
    values.push_back(latent[size_t(column)]);
  }
  return attend(scores, values, size);
}

// Some columns: the first, the last and one in eight.
void expectLatentSums(const Latents &latents, const RaggedStep &step, const float *q, int64_t qs,
                      const float *result, int64_t rs) {
  const Shape &s = latents.s;
  for (int64_t t = 0; t < step.rows(); ++t)
    for (int64_t h = 0; h < s.heads; ++h)
      for (int64_t j = 0; j < s.c; j += j + 8 < s.c ? 8 : std::max<int64_t>(1, s.c - 1 - j)) {
        double size = 0,
               want = softmaxOfLatents(latents, step.slots[size_t(t)], step.positions[size_t(t)],
                                       q + t * qs + h * (s.c + s.r), j, &size);
        expectNear(result[t * rs + h * s.c + j], want, size, 1e-5, "result", t, h * s.c + j);
      }
}

void runAbsorbed(const Shape &s, int64_t rows_per_item) {
  SCOPED_TRACE(testing::Message() << s.heads << " heads, c " << s.c << " r " << s.r << " format "
                                  << s.format);
  Latents latents(s);
  StepMemory &memory = latents.memory;
  int64_t qs = s.heads * (s.c + s.r) + 1, rs = s.heads * s.c + 2;
  for (const RaggedStep &step : ragged) {
    latents.write(step);
    std::vector<float> q = randomFloats(step.rows() * qs, ++latents.seed);
    MlaAbsorbedParams p = {latents.cache, s.heads, floatBits(latents.scale), qs, rs, rows_per_item};
    int64_t result = memory.space<float>(step.rows() * rs);
    memory.run(lathe_x86_mla_absorbed, {memory.put(q), latents.place, result}, p,
               mlaAbsorbedItems(p));
    expectLatentSums(latents, step, q.data(), qs, memory.at<float>(result), rs);
  }
}

TEST(MlaAbsorbed, agreesWithDoubleOverRaggedSteps) {
  for (int64_t format : {Format::f32, Format::bf16, Format::f16}) {
    runAbsorbed({4, 32, 8, 0, 0, format, {Format::f32, {}}}, 8);
    runAbsorbed({5, 20, 6, 0, 0, format, {Format::f32, {}}}, 3);
  }
  runAbsorbed({40, 36, 12, 0, 0, Format::f32, {Format::f32, {}}}, 2);
  runAbsorbed({3, 1, 1, 0, 0, Format::bf16, {Format::f32, {}}}, 64);
}

// Decode steps of one row: the context is written first, then read at some lengths, the longest
// first, so that what is behind a shorter one is no zeros.
void runPieces(const Shape &s, int64_t context, int64_t keys_per_piece) {
  SCOPED_TRACE(testing::Message() << s.heads << " heads, c " << s.c << " r " << s.r << " format "
                                  << s.format << " context " << context << " pieces of "
                                  << keys_per_piece);
  Latents latents(s);
  StepMemory &memory = latents.memory;
  latents.write(makeStep({{1, 0, int32_t(context)}}));
  MlaPieceParams p = {latents.cache, s.heads, floatBits(latents.scale), keys_per_piece};
  MergePiecesParams merge = {mlaPieces(p), floatBits(1.44269504f)};
  int64_t width = s.c + s.r, scratch = memory.space<char>(pieceScratch(merge.pieces)),
          result = memory.space<float>(s.heads * s.c);
  for (int64_t length : {context, context * 2 / 3, int64_t{1}}) {
    RaggedStep step = makeStep({{1, int32_t(length - 1), 1}});
    setStep(memory, step);
    std::vector<float> q = randomFloats(s.heads * width, ++latents.seed);
    memory.run(lathe_x86_mla_piece, {memory.put(q), latents.place, scratch}, p,
               pieceItems(merge.pieces));
    memory.run(lathe_x86_merge_pieces, {scratch, result}, merge, mergePiecesItems(merge));
    expectLatentSums(latents, step, q.data(), 0, memory.at<float>(result), 0);
  }
}

TEST(MlaPieces, agreeWithDoubleAtEveryLengthAndShape) {
  for (int64_t format : {Format::f32, Format::bf16, Format::f16}) {
    runPieces({16, 64, 32, 0, 0, format, {Format::f32, {}}}, 300, 64);
    runPieces({1, 32, 8, 0, 0, format, {Format::f32, {}}}, 65, 64);
    runPieces({17, 100, 20, 0, 0, format, {Format::f32, {}}}, 129, 128);
    runPieces({128, 16, 16, 0, 0, format, {Format::f32, {}}}, 33, 256);
  }
  runPieces({16, 512, 64, 0, 0, Format::f32, {Format::f32, {}}}, 250, 192);
  std::mt19937 random(3);
  for (int i = 0; i < 12; ++i) {
    auto upTo = [&](int64_t most) { return 1 + static_cast<int64_t>(random()) % most; };
    runPieces({upTo(40), upTo(90), upTo(50), 0, 0, upTo(3) - 1, {Format::f32, {}}}, upTo(300),
              64 * upTo(3));
  }
}

void runMaterialised(const Shape &s, int64_t rows_per_item) {
  SCOPED_TRACE(testing::Message() << s.heads << " heads, c " << s.c << " r " << s.r << " n " << s.n
                                  << " v " << s.v << " format " << s.format << " weight "
                                  << s.weight.format);
  Latents latents(s);
  StepMemory &memory = latents.memory;
  TileLayout keys, values;
  int64_t key_weight = latents.pack(0, s.n, false, keys),
          value_weight = latents.pack(s.n, s.v, false, values);
  int64_t width = s.n + s.r, qs = s.heads * width + 1, rs = s.heads * s.v + 2;
  for (const RaggedStep &step : ragged) {
    latents.write(step);
    std::vector<float> q =
        randomFloats(step.rows() * qs, ++latents.seed, s.weight.format == Format::e4m3 ? 0.3f : 1);
    MlaMaterialisedParams p = {latents.cache,
                               keys.params(),
                               values.params(),
                               s.heads,
                               floatBits(latents.scale),
                               qs,
                               rs,
                               RowsIn::f32,
                               rows_per_item,
                               0};
    int64_t query = memory.put(q), result = memory.space<float>(step.rows() * rs),
            rounded = memory.space<float>(step.rows() * rs);
    memory.run(lathe_x86_mla_materialised, {query, latents.place, key_weight, value_weight, result},
               p, mlaMaterialisedItems(p));
    p.may_round = 1;
    memory.run(lathe_x86_mla_materialised,
               {query, latents.place, key_weight, value_weight, rounded}, p,
               mlaMaterialisedItems(p));
    if (s.v % 16 == 0) {
      p.result_in = RowsIn::bf16_steps, p.result_stride = stepStride(step.rows());
      int64_t steps = memory.space<char>(stepsBytes(step.rows(), s.heads * s.v));
      memory.run(lathe_x86_mla_materialised,
                 {query, latents.place, key_weight, value_weight, steps}, p,
                 mlaMaterialisedItems(p));
      expectSteps(memory.at<uint16_t>(steps), memory.at<float>(rounded), step.rows(), s.heads * s.v,
                  rs);
    }
    for (int64_t t = 0; t < step.rows(); ++t)
      for (int64_t h = 0; h < s.heads; ++h) {
        std::vector<double> scores, up;
        std::vector<std::vector<double>> value;
        int32_t slot = step.slots[size_t(t)];
        for (int64_t k = 0; k < s.c; ++k) { // W_UK^T q
          double sum = 0;
          for (int64_t j = 0; j < s.n; ++j)
            sum += latents.weight(h, j, k) * q[size_t(t * qs + h * width + j)];
          up.push_back(sum);
        }
        for (int32_t i = 0; i <= step.positions[size_t(t)]; ++i) {
          const std::vector<double> &latent = latents.rows.at({slot, i});
          double score = dot(latent.data() + s.c, &q[size_t(t * qs + h * width + s.n)], s.r);
          for (int64_t k = 0; k < s.c; ++k)
            score += up[size_t(k)] * latent[size_t(k)];
          scores.push_back(score * latents.scale);
        }
        for (int64_t j = 0; j < s.v; ++j) {
          std::vector<double> column;
          for (int32_t i = 0; i <= step.positions[size_t(t)]; ++i) {
            double sum = 0;
            for (int64_t k = 0; k < s.c; ++k)
              sum += latents.rows.at({slot, i})[size_t(k)] * latents.weight(h, s.n + j, k);
            column.push_back(sum);
          }
          double size = 0, want = attend(scores, column, &size);
          expectNear(memory.at<float>(result)[t * rs + h * s.v + j], want, size + 0.1, 3e-5,
                     "result", t, h * s.v + j);
          expectNear(memory.at<float>(rounded)[t * rs + h * s.v + j], want, size + 0.1, 0.1,
                     "rounded", t, h * s.v + j);
        }
      }
  }
}

TEST(MlaMaterialised, agreesWithDoubleOverRaggedSteps) {
  for (int64_t format : {Format::f32, Format::bf16}) {
    runMaterialised({4, 32, 8, 16, 12, format, {Format::bf16, {}}}, 100);
    runMaterialised({3, 20, 6, 10, 18, format, {Format::f32, {}}}, 7);
  }
  runMaterialised({2, 36, 4, 16, 12, Format::f16, {Format::e4m3, {20, 16}}}, 64);
  runMaterialised({3, 32, 8, 8, 16, Format::f32, {Format::bf16, {}}}, 64);
}

// With n = v one product expands both keys and values.
TEST(MlaMaterialised, agreesWithDoubleInRandomShapes) {
  std::mt19937 random(5);
  auto upTo = [&](int64_t most) { return 1 + static_cast<int64_t>(random()) % most; };
  for (int i = 0; i < 8; ++i) {
    int64_t n = upTo(40), v = i % 2 ? n : upTo(40);
    runMaterialised({upTo(3), upTo(70), upTo(20), n, v, upTo(3) - 1, {Format::bf16, {}}},
                    upTo(100));
  }
}

// q W_UK per head, through the transposed view.
TEST(AbsorbQuery, isALinearAHeadOverTheTransposedView) {
  for (WeightCase weight : {WeightCase{Format::bf16, {}}, WeightCase{Format::e4m3, {32, 32}},
                            WeightCase{Format::e4m3, {10, 7}}})
    for (int64_t rows : {1, 3}) {
      Latents latents({3, 20, 6, 10, 18, Format::f32, weight});
      const Shape &s = latents.s;
      StepMemory &memory = latents.memory;
      memory.frame.rows = rows;
      TileLayout layout;
      int64_t w = latents.pack(0, s.n, true, layout);
      EXPECT_EQ(layout.n, s.c);
      EXPECT_EQ(layout.k, s.n);
      int64_t width = s.n + s.r, qs = s.heads * width, rs = s.heads * (s.c + s.r);
      std::vector<float> q = randomFloats(rows * qs, 3);
      LinearParams p = {layout.params(),
                        {Activations::f32, qs, 0, 0},
                        RowSource::rows,
                        1,
                        0,
                        0,
                        rs,
                        s.heads,
                        width,
                        s.c + s.r,
                        1};
      int64_t result = memory.space<float>(rows * rs);
      memory.run(lathe_x86_linear, {memory.put(q), no_operand, w, no_operand, no_operand, result},
                 p, linearItems(p));
      for (int64_t t = 0; t < rows; ++t)
        for (int64_t h = 0; h < s.heads; ++h)
          for (int64_t k = 0; k < s.c; ++k) {
            double sum = 0, size = 0;
            for (int64_t j = 0; j < s.n; ++j) {
              double term = latents.weight(h, j, k) * q[size_t(t * qs + h * width + j)];
              sum += term;
              size += std::abs(term);
            }
            expectNear(memory.at<float>(result)[t * rs + h * (s.c + s.r) + k], sum, size, 1e-6,
                       "result", t, k);
          }
    }
}

} // namespace
} // namespace lathe::x86
