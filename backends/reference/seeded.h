// Deterministic pseudo-random numbers and values, the same on every machine.
#pragma once

#include <cstdint>

#include "mlir/IR/Types.h"
#include "llvm/ADT/StringRef.h"

#include "backends/reference/value.h"

namespace lathe::reference {

// A hash of its arguments in [-1, 1), uniform.
class Noise {
public:
  Noise(uint64_t seed, llvm::StringRef name);
  double operator()(int64_t i, int64_t j = 0, int64_t k = 0) const;

private:
  uint64_t key_;
};

// Positions that a seeded cache is filled up to, at most.
inline constexpr int64_t kSeededContext = 64;

// A value of a float tensor (-1 to 1), quantised or cache type; dynamic extents get `rows`. Caches
// come filled, so that a step in the middle of a sequence has something to attend to. A type that
// is none of these gives a monostate.
Value seededValue(mlir::Type type, int64_t rows, const Noise &noise);

// A code of `element` (e4m3, e5m2, i8 or i4) for noise in [-1, 1), and a scale for such codes in
// rows of `columns` columns that is exact in `scale_type`.
float seededCode(mlir::Type element, double noise);
float seededScale(mlir::Type element, mlir::Type scale_type, double noise, int64_t columns);

} // namespace lathe::reference
