#include "tests/conformance/case/measure.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_replace.h"

namespace lathe::conformance {
namespace {

constexpr double kUlp = 0x1p-23; // of f32, of numbers near 1

double rootMeanSquare(const float *values, int64_t size) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t i = 0; i < size; ++i)
    if (std::isfinite(values[i]))
      sum += double{values[i]} * values[i], ++count;
  return count ? std::sqrt(sum / static_cast<double>(count)) : 0;
}

// What the terms of a row's sums were like. In a row of few columns all sums may happen to come out
// small; then those of all rows tell.
double sizeOf(const reference::Tensor &expected, int64_t row, double of_all) {
  constexpr int64_t kFewColumns = 8;
  const double own = rootMeanSquare(expected.row(row), expected.columns());
  return expected.columns() < kFewColumns ? std::max(own, of_all) : own;
}

// NaN stands for NaN, an infinity for itself.
bool areAlike(float got, float expected) {
  return got == expected || (std::isnan(got) && std::isnan(expected));
}

double share(double error, double bound) {
  if (std::isnan(error))
    return std::numeric_limits<double>::infinity();
  return bound > 0 ? error / bound : std::numeric_limits<double>::infinity();
}

} // namespace

Measure exact(const char *why) { return {0, 0, 0, 0, why}; }
Measure roundings(double ulps, const char *why) { return {0, ulps * kUlp, 0, 1, why}; }
Measure sums(int64_t terms, const char *why) {
  const double grown = std::sqrt(static_cast<double>(terms) + 16);
  return {grown * kUlp, 2 * kUlp, grown * kUlp / 2, 2, why};
}

static double roundingOfNamed(const std::string &text) {
  struct Named {
    const char *name;
    double rounding;
  };
  // Names that contain others stand before them.
  for (const Named &type :
       {Named{"bf16", 0x1p-9}, Named{"f16", 0x1p-12}, Named{"e4m3", 0x1p-4}, Named{"e5m2", 0x1p-3},
        Named{"tf32", 0x1p-11}, Named{"int8", 0x1p-7}, Named{"i8", 0x1p-7}, Named{"f32", 0x1p-24}})
    if (text.find(type.name) != std::string::npos)
      return type.rounding;
  return 0;
}

Measure mayRoundToBf16(Measure measure) {
  measure.of_row += 4 * measure.conversions * 0x1p-9;
  return measure;
}

// A second part is what the first one lacks.
double roundingOf(const std::string &text) {
  constexpr std::pair<const char *, double> kParts[] = {{"two parts of bf16", 0x1p-18},
                                                        {"two parts of f16", 0x1p-24}};
  std::string rest = text;
  double of_parts = 0;
  for (const auto &[name, rounding] : kParts)
    if (absl::StrReplaceAll({{name, ""}}, &rest) > 0)
      of_parts = std::max(of_parts, rounding);
  return std::max(of_parts, roundingOfNamed(rest));
}

std::optional<Difference> worstDifference(const reference::Tensor &got,
                                          const reference::Tensor &expected, const Measure &measure,
                                          const std::string &converted_to) {
  // A sum of products of rounded operands errs by both roundings; the root over terms is in the
  // row.
  const double converted = 4 * measure.conversions * roundingOf(converted_to);
  // The size that sums are taken to have at least.
  const double least = measure.of_row > 0 ? measure.absolute / measure.of_row : 0;
  const double of_all =
      expected.rows() ? rootMeanSquare(expected.row(0), expected.rows() * expected.columns()) : 0;
  std::optional<Difference> worst;
  for (int64_t i = 0; i < expected.rows(); ++i) {
    const float *want = expected.row(i), *have = got.row(i);
    const double size = sizeOf(expected, i, of_all);
    for (int64_t j = 0; j < expected.columns(); ++j) {
      if (areAlike(have[j], want[j]))
        continue;
      const double bound = measure.absolute + measure.of_row * size +
                           converted * std::max(size, least) +
                           (measure.of_value + converted) * std::abs(double{want[j]});
      const double of_bound = share(std::abs(double{have[j]} - want[j]), bound);
      if (!worst || of_bound > worst->share)
        worst = {i, j, have[j], want[j], bound, of_bound};
    }
  }
  return worst;
}

} // namespace lathe::conformance
