// Memory and frame for a test of one kernel, and the rule that holds for all of them: however items
// are grouped, the bytes are the same.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "backends/x86/kernels/rows_in.h"
#include "base/float_formats.h"

namespace lathe::x86 {

class StepMemory {
public:
  explicit StepMemory(int64_t rows, int64_t output_rows = 0) : bytes_(size, char(0xff)) {
    frame.rows = rows;
    frame.output_rows = output_rows;
    uintptr_t start = reinterpret_cast<uintptr_t>(bytes_.data());
    base_ = bytes_.data() + (64 - start % 64);
    for (char *&buffer : frame.buffers)
      buffer = base_;
  }

  // Puts values at a multiple of 64 bytes; the operand of the place.
  template <typename T> int64_t put(const std::vector<T> &values) {
    int64_t place = reserve(static_cast<int64_t>(values.size() * sizeof(T)));
    if (!values.empty())
      std::memcpy(base_ + place, values.data(), values.size() * sizeof(T));
    return operand(Buffer::arena, place);
  }
  template <typename T> int64_t zeros(int64_t count) {
    return put(std::vector<T>(static_cast<size_t>(count)));
  }
  // Bytes that nobody has written: NaN as f32.
  template <typename T> int64_t space(int64_t count) {
    return operand(Buffer::arena, reserve(count * static_cast<int64_t>(sizeof(T))));
  }
  void putBuffer(Buffer::Kind buffer, const std::vector<int32_t> &values) {
    frame.buffers[buffer] = resolve<char>(&frame, put(values));
  }
  template <typename T> T *at(int64_t place) { return resolve<T>(&frame, place); }

  // Runs the kernel over all items at once, then one by one from the last, then in random groups.
  template <typename Params>
  void run(void (*kernel)(const Frame *, const int64_t *, const Params *, int64_t, int64_t),
           const std::vector<int64_t> &operands, const Params &params, const Items &rule) {
    int64_t items = itemCount(rule, rowCount(frame, rule.row_source));
    std::vector<char> before = used();
    kernel(&frame, operands.data(), &params, 0, items);
    std::vector<char> expected = used();
    restore(before);
    for (int64_t i = items; i-- > 0;)
      kernel(&frame, operands.data(), &params, i, i + 1);
    EXPECT_TRUE(used() == expected) << "item by item gives other bytes";
    restore(before);
    std::mt19937 random(7);
    for (int64_t i = 0; i < items;) {
      int64_t next = std::min<int64_t>(items, i + 1 + static_cast<int64_t>(random() % 5));
      kernel(&frame, operands.data(), &params, i, next);
      i = next;
    }
    EXPECT_TRUE(used() == expected) << "another grouping gives other bytes";
  }

  Frame frame;

private:
  static constexpr size_t size = 24 << 20;

  std::vector<char> used() const { return {base_, base_ + used_}; }
  void restore(const std::vector<char> &bytes) { std::memcpy(base_, bytes.data(), bytes.size()); }

  int64_t reserve(int64_t bytes) {
    int64_t place = used_;
    used_ += roundUp(bytes, 64) + 64; // a gap, to see who writes too far
    if (static_cast<size_t>(used_) + 64 > size)
      std::abort();
    return place;
  }

  std::vector<char> bytes_;
  char *base_;
  int64_t used_ = 0;
};

inline std::vector<float> randomFloats(int64_t count, unsigned seed, float deviation = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(static_cast<size_t>(count));
  for (float &value : values)
    value = normal(random);
  return values;
}

// To numbers with the 4 bits of an e4m3, what quantised rows are made of.
inline void toCodes(float *values, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    values[i] = __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, values[i]) & 0xfff00000u);
}
inline std::vector<float> randomCodes(int64_t count, unsigned seed, float deviation = 1.0f) {
  std::vector<float> values = randomFloats(count, seed, deviation);
  toCodes(values.data(), count);
  return values;
}

// |got - want| within `relative` of `size`, the sum of the magnitudes that went into want.
inline void expectNear(double got, double want, double size, double relative, const char *what,
                       int64_t i, int64_t j) {
  double limit = relative * size + 1e-30;
  if (!(std::abs(got - want) <= limit))
    ADD_FAILURE() << what << " [" << i << ", " << j << "] is " << got << ", should be " << want
                  << " +- " << limit;
}

// Steps (rows_in.h) of `values` [rows][columns], `stride` apart: zeros behind the last column.
inline void expectSteps(const uint16_t *steps, const float *values, int64_t rows, int64_t columns,
                        int64_t stride) {
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t j = 0; j < roundUp(columns, step_columns); ++j)
      EXPECT_EQ(steps[(j / step_columns * stepStride(rows) + t) * step_columns + j % step_columns],
                j < columns ? bf16FromF32(values[t * stride + j]) : 0)
          << columns << " columns, row " << t << ", column " << j;
}
inline void expectSteps(const uint16_t *steps, const float *values, int64_t rows, int64_t columns) {
  expectSteps(steps, values, rows, columns, columns);
}

} // namespace lathe::x86
