// Ragged steps for attention tests, and the attention that they should come to.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>

#include "step_memory.h"
#include "test_weight.h"

namespace lathe::x86 {

// A step: rows with slots and positions.
struct RaggedStep {
  std::vector<int32_t> slots, positions;
  int64_t rows() const { return static_cast<int64_t>(slots.size()); }
};

// Runs of rows: (slot, first position, count).
struct Run {
  int32_t slot, first, count;
};
inline RaggedStep makeStep(const std::vector<Run> &runs) {
  RaggedStep step;
  for (const Run &run : runs)
    for (int32_t i = 0; i < run.count; ++i) {
      step.slots.push_back(run.slot);
      step.positions.push_back(run.first + i);
    }
  return step;
}

// A number as a cache keeps it.
inline double inCache(int64_t format, float value) {
  if (format == Format::f32)
    return value;
  if (format == Format::bf16) {
    uint32_t bits = __builtin_bit_cast(uint32_t, value);
    return __builtin_bit_cast(float, (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
  }
  double scale = std::ldexp(1.0, std::max(value == 0 ? -14 : std::ilogb(value), -14) - 10);
  return std::nearbyint(value / scale) * scale;
}

// What every position of every slot holds.
using CachedRows = std::map<std::pair<int32_t, int32_t>, std::vector<double>>;

// softmax over scores times values; the sum of magnitudes goes to `size`.
inline double attend(const std::vector<double> &scores, const std::vector<double> &values,
                     double *size) {
  double top = scores[0], total = 0, sum = 0;
  for (double score : scores)
    top = std::max(top, score);
  for (double score : scores)
    total += std::exp(score - top);
  for (size_t i = 0; i < scores.size(); ++i) {
    sum += std::exp(scores[i] - top) / total * values[i];
    *size += std::exp(scores[i] - top) / total * std::abs(values[i]);
  }
  return sum;
}

inline void setStep(StepMemory &memory, const RaggedStep &step) {
  memory.frame.rows = step.rows();
  memory.frame.context = 1 + *std::max_element(step.positions.begin(), step.positions.end());
  memory.putBuffer(Buffer::slots, step.slots);
  memory.putBuffer(Buffer::positions, step.positions);
}

} // namespace lathe::x86
