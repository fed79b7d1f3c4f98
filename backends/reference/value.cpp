#include "backends/reference/value.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/float_formats.h"

namespace lathe::reference {

namespace {

int64_t product(const std::vector<int64_t> &shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

std::vector<float> part(const std::vector<float> &values, int64_t index, int64_t size) {
  return {values.begin() + index * size, values.begin() + (index + 1) * size};
}

} // namespace

Tensor::Tensor(std::vector<int64_t> extents) : shape(std::move(extents)), values(product(shape)) {}
Tensor::Tensor(std::vector<int64_t> shape, std::vector<float> values)
    : shape(std::move(shape)), values(std::move(values)) {}

Indices::Indices(std::vector<int32_t> entries)
    : shape{static_cast<int64_t>(entries.size())}, values(std::move(entries)) {}
Indices::Indices(std::vector<int64_t> shape, std::vector<int32_t> values)
    : shape(std::move(shape)), values(std::move(values)) {}

SlotRows::SlotRows(int64_t num_slots, int64_t columns, bool bf16)
    : columns(columns), bf16(bf16), slots(num_slots) {}

void SlotRows::write(int64_t slot, int64_t position, const float *entry) {
  std::vector<float> &rows = slots[slot];
  rows.resize(std::max<size_t>(rows.size(), (position + 1) * columns));
  for (int64_t j = 0; j < columns; ++j)
    rows[position * columns + j] = bf16 ? rounded(entry[j], Element::bf16) : entry[j];
}

const float *SlotRows::at(int64_t slot, int64_t position) const {
  return slots[slot].data() + position * columns;
}

float rounded(float value, Element element) {
  switch (element) {
  case Element::f32: return value;
  case Element::bf16: return f32FromBf16(bf16FromF32(value));
  case Element::f16: return f32FromF16(f16FromF32(value));
  }
  return value;
}

Tensor matrixOf(const Tensor &stack, int64_t index) {
  const int64_t rows = stack.shape[1], columns = stack.shape[2];
  return {{rows, columns}, part(stack.values, index, rows * columns)};
}

Codes matrixOf(const Codes &stack, int64_t index) {
  Codes matrix{{stack.rows(), stack.columns()}, stack.block_rows, stack.block_columns, {}, {}};
  matrix.codes = part(stack.codes, index, stack.rows() * stack.columns());
  matrix.scales = part(stack.scales, index, stack.scaleRows() * stack.scaleColumns());
  return matrix;
}

} // namespace lathe::reference
