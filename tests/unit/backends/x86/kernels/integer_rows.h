// Rows of quantised codes in both forms that products take.
#pragma once

#include "test_weight.h"

namespace lathe::x86 {

inline constexpr int64_t kStride = 700; // in codes; not a multiple of 64

struct IntegerRows {
  std::vector<float> wide;
  std::vector<int8_t> codes;

  IntegerRows(int64_t rows, int64_t k, auto codeOf)
      : wide(static_cast<size_t>(rows * kStride)), codes(wide.size(), 99) {
    for (int64_t t = 0; t < rows; ++t)
      for (int64_t j = 0; j < k; ++j) {
        const auto at = static_cast<size_t>(t * kStride + j);
        codes[at] = static_cast<int8_t>(codeOf(t, j));
        wide[at] = codes[at];
      }
  }
};

inline int64_t anyCode(int64_t t, int64_t j) { return (t * 1009 + j * 31 + t * j) % 255 - 127; }

inline const WeightCase kIntegers[] = {{Format::i8, {1, 32}}, {Format::i4, {1, 32}}};

} // namespace lathe::x86
