// The layout of packed weights: what stands in an artifact. The bytes are described in
// backends/x86/kernels/weight.h.
#pragma once

#include <cstdint>
#include <string>

#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

// Layout "tile16" of matrices [n, k] of which `count` stand one after the other.
struct TileLayout {
  int64_t n = 0;
  int64_t k = 0;
  int64_t count = 1;
  Format::Kind format = Format::f32;
  ScaleMode::Kind scale_mode = ScaleMode::none;
  int64_t scale_block_k = 0; // 0 with mode none

  WeightParams params() const { return weightParams(n, k, format, scale_mode, scale_block_k); }
  int64_t bytes() const { return params().matrix_bytes * count; }
  // Without the extents, which stand in the weight's own entry: "tile16xbf16",
  // "tile16xf8e4m3+scale128" (mode tile), "tile16xf8e4m3+lanescale64" (mode lane); "tile16xq8_0"
  // and "tile16xq4_0" for i8 and i4 with an f16 scale for each row and 32 inputs.
  std::string name() const;

  bool operator==(const TileLayout &) const = default;
};

// "f32", "bf16", "f16", "f8e4m3", "f8e5m2"
const char *formatName(Format::Kind format);

} // namespace lathe::x86
