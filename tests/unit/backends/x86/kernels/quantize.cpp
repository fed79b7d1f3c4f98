#include <cmath>
#include <limits>

#include "backends/x86/kernels/rows.h"
#include "test_weight.h"

namespace lathe::x86 {
namespace {

// The e4m3 number nearest to x, ties to the even code, by search over all codes.
float nearestE4m3(double x) {
  double best = 0;
  uint32_t best_code = 0;
  for (uint32_t code = 0; code < 127; ++code) {
    double value = decodeDouble(Format::e4m3, code), distance = std::abs(std::abs(x) - value);
    double best_distance = std::abs(std::abs(x) - best);
    if (distance < best_distance ||
        (distance == best_distance && code % 2 == 0 && best_code % 2 == 1)) {
      best = value;
      best_code = code;
    }
  }
  return static_cast<float>(x < 0 ? -best : best);
}

TEST(Cast, roundsToNearestEven) {
  std::vector<float> x = randomFloats(70, 3);
  uint32_t ties[] = {0x3f808000, 0x3f818000, 0x3f807fff, 0x3f808001,
                     0x7f7fffff, 0x00000001, 0x80000000, 0x00018000};
  for (uint32_t bits : ties)
    x.push_back(__builtin_bit_cast(float, bits));
  int64_t count = static_cast<int64_t>(x.size());
  StepMemory memory(1);
  int64_t result = memory.space<float>(count), from = memory.put(x);
  CastParams p = {{RowSource::rows, 1, 1}, count, Format::bf16, count, count};
  memory.run(lathe_x86_cast, {from, result}, p, castItems(p));
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits = __builtin_bit_cast(uint32_t, x[size_t(i)]);
    uint32_t want = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    EXPECT_EQ(__builtin_bit_cast(uint32_t, memory.at<float>(result)[i]), want) << std::hex << bits;
  }
  p.format = Format::f16;
  memory.run(lathe_x86_cast, {from, result}, p, castItems(p));
  for (int64_t i = 0; i < 70; ++i) {
    double scale = std::ldexp(1.0, std::max(std::ilogb(x[size_t(i)]), -14) - 10);
    EXPECT_EQ(memory.at<float>(result)[i], std::nearbyint(x[size_t(i)] / scale) * scale);
  }
}

TEST(Cast, storesHalfTheBytesWhenNarrow) {
  std::vector<float> x = randomFloats(2 * 35, 3);
  StepMemory memory(2);
  int64_t from = memory.put(x), wide = memory.space<float>(70), narrow = memory.space<uint16_t>(80);
  CastParams p = {{RowSource::rows, 1, 1}, 35, Format::bf16, 35, 35};
  memory.run(lathe_x86_cast, {from, wide}, p, castItems(p));
  p.result_in = RowsIn::bf16, p.result_stride = 40;
  memory.run(lathe_x86_cast, {from, narrow}, p, castItems(p));
  for (int64_t i = 0; i < 70; ++i)
    EXPECT_EQ(memory.at<uint16_t>(narrow)[i / 35 * 40 + i % 35],
              __builtin_bit_cast(uint32_t, memory.at<float>(wide)[i]) >> 16);
}

TEST(Cast, storesSteps) {
  for (int64_t columns : {1, 16, 20, 32, 35, 50, 64}) {
    std::vector<float> x = randomFloats(3 * columns, 3);
    StepMemory memory(3);
    int64_t steps =
        memory.put(std::vector<uint16_t>(static_cast<size_t>(stepsBytes(3, columns) / 2), 0x7fc1));
    CastParams p = {{RowSource::rows, 1, 2}, columns,           Format::bf16, columns,
                    stepStride(3),           RowsIn::bf16_steps};
    memory.run(lathe_x86_cast, {memory.put(x), steps}, p, castItems(p));
    expectSteps(memory.at<uint16_t>(steps), x.data(), 3, columns);
    EXPECT_EQ(memory.at<uint16_t>(steps)[3 * 32], 0x7fc1); // nothing behind the last row
  }
}

TEST(Cast, keepsNaNsAndInfinities) {
  std::vector<float> x = {
      std::numeric_limits<float>::quiet_NaN(), __builtin_bit_cast(float, 0x7f800001),
      std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
  StepMemory memory(1);
  CastParams p = {{RowSource::rows, 1, 1}, 4, Format::bf16, 4, 4};
  int64_t result = memory.space<float>(4);
  memory.run(lathe_x86_cast, {memory.put(x), result}, p, castItems(p));
  EXPECT_TRUE(std::isnan(memory.at<float>(result)[0]));
  EXPECT_TRUE(std::isnan(memory.at<float>(result)[1]));
  EXPECT_EQ(memory.at<float>(result)[2], x[2]);
  EXPECT_EQ(memory.at<float>(result)[3], x[3]);
}

TEST(Quantize, givesTheNearestCodeAndTheScaleOfEachBlock) {
  for (int64_t power_of_two : {0, 1})
    for (int64_t columns : {1, 128, 300})
      for (int64_t factor : {1, 2}) {
        int64_t rows = 3, all = rows * factor, blocks = ceilDiv(columns, int64_t{128});
        StepMemory memory(rows);
        std::vector<float> x = randomFloats(all * columns, 5, 2);
        for (int64_t j = 0; j < columns; j += 7)
          x[size_t(j)] *= 1e-4f; // codes that are subnormal
        QuantizeParams p = {{RowSource::rows, factor, 2},
                            columns,
                            Format::e4m3,
                            RowsIn::f32,
                            128,
                            power_of_two,
                            columns,
                            columns + 1,
                            blocks};
        int64_t codes = memory.space<float>(all * (columns + 1)),
                scales = memory.space<float>(all * blocks);
        memory.run(lathe_x86_quantize, {memory.put(x), codes, scales}, p, quantizeItems(p));
        for (int64_t t = 0; t < all; ++t)
          for (int64_t j = 0; j < columns; ++j) {
            float largest = 1e-4f;
            for (int64_t i = j / 128 * 128; i < std::min(columns, j / 128 * 128 + 128); ++i)
              largest = std::max(largest, std::abs(x[size_t(t * columns + i)]));
            float s = largest / 448.0f;
            if (power_of_two)
              s = std::exp2(std::ceil(std::log2(s)));
            EXPECT_EQ(memory.at<float>(scales)[t * blocks + j / 128], s);
            float value = x[size_t(t * columns + j)] / s;
            EXPECT_EQ(memory.at<float>(codes)[t * (columns + 1) + j], nearestE4m3(value)) << value;
          }
      }
}

TEST(Quantize, roundsEveryMiddleBetweenCodesToEven) {
  std::vector<float> x = {448}; // the scale is 1
  for (uint32_t code = 0; code < 126; ++code) {
    double middle = (decodeDouble(Format::e4m3, code) + decodeDouble(Format::e4m3, code + 1)) / 2;
    x.push_back(static_cast<float>(middle));
    x.push_back(std::nextafter(static_cast<float>(-middle), -1000.0f));
  }
  int64_t count = static_cast<int64_t>(x.size());
  StepMemory memory(1);
  QuantizeParams p = {
      {RowSource::rows, 1, 1}, count, Format::e4m3, RowsIn::f32, 1024, 0, count, count, 1};
  int64_t codes = memory.space<float>(count), scales = memory.space<float>(1);
  memory.run(lathe_x86_quantize, {memory.put(x), codes, scales}, p, quantizeItems(p));
  EXPECT_EQ(*memory.at<float>(scales), 1.0f);
  for (int64_t i = 0; i < count; ++i)
    EXPECT_EQ(memory.at<float>(codes)[i], nearestE4m3(x[size_t(i)])) << x[size_t(i)];
}

TEST(Quantize, ofZerosIsZerosWithTheLeastScale) {
  StepMemory memory(1);
  QuantizeParams p = {{RowSource::rows, 1, 1}, 20, Format::e4m3, RowsIn::f32, 128, 0, 20, 20, 1};
  int64_t codes = memory.space<float>(20), scales = memory.space<float>(1);
  memory.run(lathe_x86_quantize, {memory.zeros<float>(20), codes, scales}, p, quantizeItems(p));
  EXPECT_EQ(*memory.at<float>(scales), 1e-4f / 448.0f);
  EXPECT_EQ(memory.at<float>(codes)[19], 0.0f);
}

} // namespace
} // namespace lathe::x86
