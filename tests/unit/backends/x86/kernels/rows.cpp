#include "backends/x86/kernels/rows.h"

#include <cmath>

#include "test_weight.h"

namespace lathe::x86 {
namespace {

const int64_t column_cases[] = {1, 12, 16, 36, 100};
RowSplit split(int64_t rows_per_item, int64_t factor = 1) {
  return {RowSource::rows, factor, rows_per_item};
}

TEST(Embedding, readsPlainAndTiledTables) {
  for (Format::Kind format : {Format::f32, Format::bf16, Format::f16})
    for (int64_t columns : column_cases)
      for (int64_t tiled : {0, 1}) {
        StepMemory memory(5);
        auto table = testMatrix(37, columns, format, {}, 3);
        TileLayout layout;
        std::vector<uint8_t> tiles =
            packed({&table->source, 1}, wholeMatrix(table->source), layout);
        std::vector<int32_t> tokens = {0, 36, 15, 16, 3};
        memory.putBuffer(Buffer::tokens, tokens);
        EmbeddingParams p = {split(2), weightParams(37, columns, format), tiled, columns + 1};
        int64_t result = memory.space<float>(5 * (columns + 1));
        memory.run(lathe_x86_embedding, {memory.put(tiled ? tiles : table->codes), result}, p,
                   embeddingItems(p));
        for (int64_t t = 0; t < 5; ++t)
          for (int64_t j = 0; j < columns; ++j)
            EXPECT_EQ(memory.at<float>(result)[t * (columns + 1) + j],
                      float(table->values[size_t(tokens[size_t(t)] * columns + j)]));
      }
}

// As the head's weight has it, where the table is that, too.
TEST(Embedding, readsTablesOfCodes) {
  for (const WeightCase &c : weight_cases) {
    StepMemory memory(3);
    auto table = testMatrix(37, 70, c.format, c.block, 3);
    TileLayout layout;
    std::vector<uint8_t> tiles = packed({&table->source, 1}, wholeMatrix(table->source), layout);
    std::vector<int32_t> tokens = {36, 0, 15};
    memory.putBuffer(Buffer::tokens, tokens);
    EmbeddingParams p = {split(2), layout.params(), 1, 70};
    int64_t result = memory.space<float>(3 * 70);
    memory.run(lathe_x86_embedding, {memory.put(tiles), result}, p, embeddingItems(p));
    for (int64_t t = 0; t < 3; ++t)
      for (int64_t j = 0; j < 70; ++j)
        EXPECT_EQ(memory.at<float>(result)[t * 70 + j],
                  float(table->values[size_t(tokens[size_t(t)] * 70 + j)]))
            << layout.name();
  }
}

TEST(SelectRows, takesTheRowsAskedFor) {
  StepMemory memory(6, 3);
  std::vector<float> x = randomFloats(6 * 20, 1);
  memory.putBuffer(Buffer::output_rows, {5, 0, 5});
  SelectRowsParams p = {{RowSource::output_rows, 1, 2}, 20, 20, 20};
  int64_t result = memory.space<float>(60);
  memory.run(lathe_x86_select_rows, {memory.put(x), result}, p, selectRowsItems(p));
  for (int64_t i = 0; i < 60; ++i)
    EXPECT_EQ(memory.at<float>(result)[i], x[size_t((i / 20 == 1 ? 0 : 5) * 20 + i % 20)]);
}

TEST(CopyColumns, copiesPartsOfHeads) {
  StepMemory memory(4);
  std::vector<float> x = randomFloats(4 * 3 * 10, 1);
  CopyColumnsParams p = {split(3), 4, 3, 30, 10, 18, 6};
  int64_t result = memory.space<float>(4 * 18);
  memory.run(lathe_x86_copy_columns, {memory.put(x), result}, p, copyColumnsItems(p));
  for (int64_t t = 0; t < 4; ++t)
    for (int64_t b = 0; b < 3; ++b)
      for (int64_t j = 0; j < 6; ++j) {
        float got = memory.at<float>(result)[t * 18 + b * 6 + j];
        if (j < 4)
          EXPECT_EQ(got, x[size_t(t * 30 + b * 10 + j)]);
        else
          EXPECT_TRUE(std::isnan(got)) << "a column outside was written";
      }
}

TEST(Elementwise, addScaleAndSwiglu) {
  for (int64_t columns : column_cases) {
    StepMemory memory(7);
    std::vector<float> a = randomFloats(7 * 101, 1, 4), b = randomFloats(7 * 102, 2);
    int64_t pa = memory.put(a), pb = memory.put(b), sum = memory.space<float>(7 * 103),
            scaled = memory.space<float>(7 * 103), gated = memory.space<float>(7 * 103);
    AddParams add = {split(3), columns, 101, 102, 103};
    memory.run(lathe_x86_add, {pa, pb, sum}, add, addItems(add));
    ScaleParams scale = {split(2), columns, floatBits(12.5f), 101, 103};
    memory.run(lathe_x86_scale, {pa, scaled}, scale, scaleItems(scale));
    SwigluParams swiglu = {split(1), columns, 101, 102, 103};
    memory.run(lathe_x86_swiglu, {pa, pb, gated}, swiglu, swigluItems(swiglu));
    for (int64_t t = 0; t < 7; ++t)
      for (int64_t j = 0; j < columns; ++j) {
        float x = a[size_t(t * 101 + j)], y = b[size_t(t * 102 + j)];
        EXPECT_EQ(memory.at<float>(sum)[t * 103 + j], x + y);
        EXPECT_EQ(memory.at<float>(scaled)[t * 103 + j], x * 12.5f);
        double want = x / (1 + std::exp(-double(x))) * y;
        expectNear(memory.at<float>(gated)[t * 103 + j], want, std::abs(want), 5e-7, "gated", t, j);
      }
  }
}

TEST(Elementwise, worksInPlace) {
  StepMemory memory(3);
  std::vector<float> a = randomFloats(3 * 20, 1), b = randomFloats(3 * 20, 2);
  int64_t pa = memory.put(a), pb = memory.put(b);
  AddParams add = {split(2), 20, 20, 20, 20};
  std::vector<int64_t> operands = {pa, pb, pa};
  lathe_x86_add(&memory.frame, operands.data(), &add, 0, 2);
  for (size_t i = 0; i < 60; ++i)
    EXPECT_EQ(memory.at<float>(pa)[i], a[i] + b[i]);
}

TEST(Swiglu, isRightAtTheEnds) {
  std::vector<float> gate = {-1000, -104, -88.5f, -87, -30,  -0.0f,  0,    1e-20f,
                             30,    87,   88.7f,  89,  1000, -1e30f, 1e30f};
  int64_t count = static_cast<int64_t>(gate.size());
  StepMemory memory(1);
  SwigluParams p = {split(1), count, count, count, count};
  int64_t result = memory.space<float>(count);
  memory.run(lathe_x86_swiglu,
             {memory.put(gate), memory.put(std::vector<float>(gate.size(), 1.0f)), result}, p,
             swigluItems(p));
  for (int64_t i = 0; i < count; ++i) {
    double x = gate[size_t(i)], want = x < -700 ? 0 : x / (1 + std::exp(-x));
    expectNear(memory.at<float>(result)[i], want, std::abs(want) + 1e-35, 1e-6, "silu", i, 0);
  }
}

TEST(RmsNorm, normalisesGroups) {
  for (int64_t size : column_cases)
    for (int64_t groups : {1, 3}) {
      StepMemory memory(5);
      std::vector<float> x = randomFloats(5 * groups * size, 1, 3), scale = randomFloats(size, 2);
      RmsNormParams p = {split(2),          groups,     size, floatBits(1e-5f), groups * size,
                         groups * size + 2, RowsIn::f32};
      int64_t result = memory.space<float>(5 * (groups * size + 2));
      memory.run(lathe_x86_rms_norm, {memory.put(x), memory.put(scale), result}, p,
                 rmsNormItems(p));
      if (groups == 1) {
        p.result_in = RowsIn::bf16_steps, p.result_stride = stepStride(5);
        int64_t steps = memory.space<char>(stepsBytes(5, size));
        memory.run(lathe_x86_rms_norm, {memory.put(x), memory.put(scale), steps}, p,
                   rmsNormItems(p));
        expectSteps(memory.at<uint16_t>(steps), memory.at<float>(result), 5, size, size + 2);
      }
      for (int64_t t = 0; t < 5; ++t)
        for (int64_t g = 0; g < groups; ++g) {
          double squares = 0;
          for (int64_t j = 0; j < size; ++j)
            squares += std::pow(double(x[size_t((t * groups + g) * size + j)]), 2);
          for (int64_t j = 0; j < size; ++j) {
            double want = x[size_t((t * groups + g) * size + j)] * double(scale[size_t(j)]) /
                          std::sqrt(squares / double(size) + 1e-5f);
            expectNear(memory.at<float>(result)[t * (groups * size + 2) + g * size + j], want,
                       std::abs(want), 1e-6, "result", t, j);
          }
        }
    }
}

} // namespace
} // namespace lathe::x86
