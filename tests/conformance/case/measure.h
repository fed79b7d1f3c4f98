// How far a result may be from the reference interpreter's. No epsilon serves all ops: each recipe
// says which one its op gets and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "backends/reference/value.h"

namespace lathe::conformance {

struct Measure {
  double of_row = 0;   // times the root mean square of the row that the element stands in
  double of_value = 0; // times the element
  double absolute = 0;
  // How many times a target that answers CONVERTED rounds on the way from operands to the result;
  // 0: that cannot change the result.
  int conversions = 1;
  const char *why = ""; // "f32 sums of k products"
};

// Copies and choices: the same value, whatever the target computes in.
Measure exact(const char *why);
// One rounding of each element, or a few.
Measure roundings(double ulps, const char *why);
// Sums of `terms` products in f32 in any order, of which few cancel: errors grow with the root.
// Results are of size 1 or so; one that stands alone in its row may be smaller by chance.
Measure sums(int64_t terms, const char *why);
// The same where the op allows factors to be rounded to bf16, as often as there are conversions.
Measure mayRoundToBf16(Measure measure);

struct Difference {
  int64_t row = 0, column = 0;
  double got = 0, expected = 0, bound = 0;
  double share = 0; // of the bound; above 1: wrong
};

// The element that is worst by its bound. None where all are equal. `converted_to` is the type that
// a target rounds to ("bf16"), empty without.
std::optional<Difference> worstDifference(const reference::Tensor &got,
                                          const reference::Tensor &expected, const Measure &measure,
                                          const std::string &converted_to);

// The distance of 1 to the number before it, halved, of a type that a text names: 2^-9 of "bf16",
// 2^-18 of "two parts of bf16". 0 of a text that names none.
double roundingOf(const std::string &text);

} // namespace lathe::conformance
