#include <cmath>

#include "backends/x86/kernels/rows.h"
#include "step_memory.h"

namespace lathe::x86 {
namespace {

TEST(RopeTable, isExactForFarPositions) {
  for (int64_t half : {1, 4, 33}) {
    std::vector<int32_t> positions = {0, 1, 2, 1000, 131071, 1000000, 2147483647};
    int64_t rows = static_cast<int64_t>(positions.size());
    StepMemory memory(rows);
    memory.putBuffer(Buffer::positions, positions);
    std::vector<float> frequencies;
    for (int64_t i = 0; i < half; ++i)
      frequencies.push_back(static_cast<float>(std::pow(10000.0, -double(i) / double(half))));
    RopeTableParams p = {{RowSource::rows, 1, 3}, half, floatBits(1.25f)};
    int64_t result = memory.space<float>(rows * 2 * half);
    memory.run(lathe_x86_rope_table, {memory.put(frequencies), result}, p, ropeTableItems(p));
    for (int64_t t = 0; t < rows; ++t)
      for (int64_t i = 0; i < half; ++i) {
        float angle = static_cast<float>(positions[size_t(t)]) * frequencies[size_t(i)];
        const float *row = memory.at<float>(result) + t * 2 * half;
        EXPECT_NEAR(row[i], std::cos(double(angle)) * 1.25, 1.5e-7) << angle;
        EXPECT_NEAR(row[half + i], std::sin(double(angle)) * 1.25, 1.5e-7) << angle;
      }
  }
}

void runRope(int64_t pairs, int64_t offset, int64_t half) {
  int64_t rows = 4, heads = 3, dim = offset + 2 * half + 2, stride = heads * dim + 1;
  StepMemory memory(rows);
  std::vector<float> x = randomFloats(rows * stride, 1), table = randomFloats(rows * 2 * half, 2);
  int64_t from = memory.put(x), angles = memory.put(table),
          result = memory.space<float>(rows * heads * dim);
  RopeParams p = {{RowSource::rows, 1, 3}, heads, dim, offset, half, pairs, stride, heads * dim};
  memory.run(lathe_x86_rope, {from, angles, result}, p, ropeItems(p));
  RopeParams in_place = p;
  in_place.result_stride = stride;
  std::vector<int64_t> same = {from, angles, from};
  lathe_x86_rope(&memory.frame, same.data(), &in_place, 0, 2);
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t j = 0; j < dim; ++j) {
        auto at = [&](int64_t column) { return x[size_t(t * stride + h * dim + column)]; };
        float want = at(j);
        int64_t i = j - offset;
        if (i >= 0 && i < 2 * half) {
          int64_t pair = pairs ? i / 2 : i % half;
          bool second = pairs ? i % 2 : i >= half;
          int64_t a = offset + (pairs ? 2 * pair : pair), b = a + (pairs ? 1 : half);
          float c = table[size_t(t * 2 * half + pair)],
                s = table[size_t(t * 2 * half + half + pair)];
          want = second ? at(a) * s + at(b) * c : at(a) * c - at(b) * s;
        }
        EXPECT_NEAR(memory.at<float>(result)[t * heads * dim + h * dim + j], want, 1e-6);
        EXPECT_NEAR(memory.at<float>(from)[t * stride + h * dim + j], want, 1e-6);
      }
}

TEST(Rope, rotatesThePartAndPassesTheRest) {
  for (int64_t pairs : {0, 1})
    for (int64_t offset : {0, 5})
      for (int64_t half : {1, 3, 15, 16, 32, 35})
        runRope(pairs, offset, half);
}

} // namespace
} // namespace lathe::x86
