// What the recipes of products have in common.
#pragma once

#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {

struct ProductShape {
  int64_t rows, k, n;
};

// One of each, odd, a multiple of nothing, and around the widths that kernels have.
inline constexpr ProductShape kProductShapes[] = {
    {1, 1, 1},    {1, 1, 17},   {1, 64, 96},    {1, 127, 16}, {1, 130, 257}, {1, 257, 15},
    {1, 512, 40}, {2, 3, 5},    {3, 130, 257},  {4, 64, 64},  {5, 129, 1},   {8, 256, 31},
    {9, 65, 100}, {16, 32, 48}, {17, 128, 129}, {33, 96, 34}, {70, 40, 20}};

inline std::string productText(const ProductShape &s) {
  return absl::StrCat("rows", s.rows, "_k", s.k, "_n", s.n);
}

// swiglu of two products: the gate's error is multiplied by up's size and the other way round.
inline Measure gatedSums(int64_t k) {
  Measure measure = sums(k, "f32 sums of k products, an exponential");
  measure.of_row *= 4;
  measure.of_value *= 4;
  measure.conversions = 3; // of the rows, and of either weight
  return measure;
}

} // namespace lathe::conformance
