// What stands in inputs and weights: a function of a place, so that it is the same on every
// machine.
#pragma once

#include <cstdint>
#include <functional>

#include "backends/reference/seeded.h"

namespace lathe::conformance {

// An element of row i, column j.
using Fill = std::function<float(const reference::Noise &noise, int64_t i, int64_t j)>;

Fill uniform(double size = 1);           // from -size to size
Fill around(double middle, double size); // from middle - size to middle + size
Fill constant(float value);
// Mostly small, one column in seven a thousand times larger, as activations of models are.
Fill outliers();
// Magnitudes from 2^-20 to 2^20, signs mixed.
Fill wide();

// An index of row i, column j.
using IndexFill = std::function<int32_t(const reference::Noise &noise, int64_t i, int64_t j)>;

IndexFill below(int64_t limit); // from 0 to limit - 1, mixed

} // namespace lathe::conformance
