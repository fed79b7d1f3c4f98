#include "tests/conformance/case/fill.h"

#include <algorithm>
#include <cmath>

namespace lathe::conformance {

using reference::Noise;

Fill uniform(double size) { return around(0, size); }

Fill around(double middle, double size) {
  return [=](const Noise &noise, int64_t i, int64_t j) {
    return static_cast<float>(middle + size * noise(i, j));
  };
}

Fill constant(float value) {
  return [=](const Noise &, int64_t, int64_t) { return value; };
}

Fill outliers() {
  return [](const Noise &noise, int64_t i, int64_t j) {
    return static_cast<float>(noise(i, j) * (j % 7 == 3 ? 100 : 0.1));
  };
}

Fill wide() {
  return [](const Noise &noise, int64_t i, int64_t j) {
    return static_cast<float>(std::exp2(20 * noise(i, j)) * (noise(i, j, 1) < 0 ? -1 : 1));
  };
}

IndexFill below(int64_t limit) {
  return [=](const Noise &noise, int64_t i, int64_t j) {
    const auto index = static_cast<int32_t>((noise(i, j) + 1) / 2 * static_cast<double>(limit));
    return std::min<int32_t>(index, static_cast<int32_t>(limit - 1));
  };
}

} // namespace lathe::conformance
