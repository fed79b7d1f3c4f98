// A source matrix as the packer reads it: checked once, then by element.
#pragma once

#include <cstring>

#include "absl/status/status.h"
#include "backends/x86/pack/pack.h"

namespace lathe::x86 {

// The value of type T that stands at `index` of an array of them.
template <typename T> T loadAt(const uint8_t *bytes, int64_t index) {
  T value;
  std::memcpy(&value, bytes + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

// For errors: "w: element [3, 5]".
std::string elementName(const SourceMatrix &source, int64_t row, int64_t column);

// INVALID_ARGUMENT if the source's bytes, scale blocks or the view do not fit its shape.
absl::Status checkSource(const SourceMatrix &source, const MatrixView &view);

// The scale of the element at (row, column) of the source.
float scaleAt(const SourceMatrix &source, int64_t row, int64_t column);

int64_t scaleBytes(ScaleType type);

// INVALID_ARGUMENT, naming the element of the source, if its scale is not finite.
absl::Status checkScale(float scale, const SourceMatrix &source, int64_t row, int64_t column);

// A code of `format` (its bits in the low bytes) that is NaN or infinite.
bool isFiniteCode(Format::Kind format, uint32_t bits);

// INVALID_ARGUMENT, naming the first code of `count` at `codes` that is not finite; `where(i)` is
// asked for the place of code i only then.
absl::Status checkFinite(Format::Kind format, const uint8_t *codes, int64_t count,
                         const std::function<std::string(int64_t)> &where);

} // namespace lathe::x86
