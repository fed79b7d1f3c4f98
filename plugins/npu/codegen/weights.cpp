#include "codegen/weights.h"

#include "sim/numerics.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace npu::codegen {
namespace {

DType dtype_of(uint32_t element) {
  constexpr DType types[] = {DType::None, DType::F32, DType::F16,  DType::Bf16, DType::I32,
                             DType::I8,   DType::I4,  DType::E4m3, DType::E5m2, DType::E8m0};
  return element < std::size(types) ? types[element] : DType::None;
}

} // namespace

std::string Packing::layout() const {
  return text("npu-", name(type), fractals ? "-zn" : "-rows", transposed ? "t" : "",
              scaled ? "-scaled" : "", second_part ? "-rest" : "", "-", matrices, "x", n, "x", k,
              "-", strip, "x", k_padded, "-", first, "+", step);
}

// Elements [begin, begin + count) of the numbers, codes or scales.
Result<std::vector<float>> Constant::read(bool scales, uint64_t begin, uint64_t count) const {
  DType stored = dtype_of(scales ? type.scale_element : type.element);
  uint64_t first = begin * bitsOf(stored) / 8, end = bytesOf(stored, begin + count);
  uint64_t skipped = begin - first * 8 / bitsOf(stored);
  std::vector<std::byte> bytes(end - first);
  lathe_read_args args = {};
  args.struct_size = sizeof args;
  args.constant = constant;
  args.scales = scales;
  args.offset = first, args.size = bytes.size(), args.destination = bytes.data();
  lathe_program mine = plugin::take(program);
  if (lathe_error *problem = mine.read(mine.context, &args))
    return error(plugin::take_message(problem));
  std::vector<float> values(skipped + count);
  toF32(stored, bytes.data(), values.data(), values.size());
  values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(skipped));
  return values;
}

Result<std::vector<float>> Constant::rows(uint64_t begin, uint64_t count) const {
  NPU_ASSIGN_OR_RETURN(std::vector<float> values,
                       read(false, begin * type.cols, count * type.cols));
  if (type.kind == LATHE_TYPE_QUANTIZED)
    NPU_RETURN_IF_ERROR(scale(values, begin, count));
  return values;
}

// Each row times the scales of its blocks. Blocks do not cross matrices.
Status Constant::scale(std::vector<float> &values, uint64_t begin, uint64_t count) const {
  uint64_t rows = type.rows.factor;
  uint64_t across = (type.cols + type.block_columns - 1) / type.block_columns;
  uint64_t down = (rows + type.block_rows - 1) / type.block_rows, known = ~uint64_t{0};
  std::vector<float> scales;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t row = begin + i, at = row / rows * down + row % rows / type.block_rows;
    if (at != known) {
      NPU_ASSIGN_OR_RETURN(scales, read(true, at * across, across));
      known = at;
    }
    for (uint64_t j = 0; j < type.cols; ++j)
      values[i * type.cols + j] *= scales[j / type.block_columns];
  }
  return {};
}

namespace {

// Rows of the matrix that a strip has, dense, zero where it has none: [strip, k_padded].
Result<std::vector<float>> strip_rows(const Constant &source, const Packing &p, uint64_t strip) {
  uint64_t matrix = strip / p.strips(), begin = strip % p.strips() * p.strip;
  uint64_t count = std::min(p.strip, p.n - begin), first = p.first + matrix * p.step;
  std::vector<float> result(p.strip * p.k_padded);
  NPU_ASSIGN_OR_RETURN(std::vector<float> from,
                       p.transposed ? source.rows(first, p.k) : source.rows(first + begin, count));
  for (uint64_t i = 0; i < count; ++i)
    for (uint64_t j = 0; j < p.k; ++j)
      result[i * p.k_padded + j] = p.transposed ? from[j * p.n + begin + i] : from[i * p.k + j];
  return result;
}

// Scales each row; what undoes that.
std::vector<float> scale_rows(std::vector<float> &rows, const Packing &p) {
  std::vector<float> factors(p.strip, 1);
  for (uint64_t i = 0; i < p.strip; ++i) {
    float top = 0;
    float *row = &rows[i * p.k_padded];
    for (uint64_t j = 0; j < p.k_padded; ++j)
      top = std::max(top, std::fabs(row[j]));
    if (top == 0 || !std::isfinite(top))
      continue;
    int shift = std::min(14 - std::ilogb(top), 114); // what undoes it is no subnormal number
    factors[i] = std::ldexp(1.0f, -shift);
    for (uint64_t j = 0; j < p.k_padded; ++j)
      row[j] = std::ldexp(row[j], shift);
  }
  return factors;
}

void leave_rest(std::vector<float> &rows) {
  for (float &value : rows)
    value -= f16ToF32(f32ToF16(value));
}

Result<std::vector<std::byte>> make_strip(const Constant &source, const Packing &p,
                                          uint64_t strip) {
  NPU_ASSIGN_OR_RETURN(std::vector<float> rows, strip_rows(source, p, strip));
  std::vector<std::byte> bytes(p.strip_bytes());
  if (p.scaled)
    std::memcpy(&bytes[p.numbers_bytes()], scale_rows(rows, p).data(), p.strip * 4);
  if (p.second_part)
    leave_rest(rows);
  uint64_t block = p.fractals ? elementsPerBlock(p.type) : p.k_padded;
  for (uint64_t column = 0; column < p.k_padded; column += block)
    for (uint64_t i = 0; i < p.strip; ++i) {
      uint64_t at = column * p.strip + i * block;
      fromF32(p.type, &rows[i * p.k_padded + column], &bytes[bytesOf(p.type, at)],
              static_cast<int64_t>(block), Round::Rint, true);
    }
  return bytes;
}

} // namespace

Status pack(const Constant &source, const Packing &packing, uint64_t offset, uint64_t size,
            std::byte *to) {
  uint64_t each = packing.strip_bytes();
  for (uint64_t at = offset, end = offset + size; at < end;) {
    NPU_ASSIGN_OR_RETURN(std::vector<std::byte> strip, make_strip(source, packing, at / each));
    uint64_t begin = at % each, count = std::min(each - begin, end - at);
    std::memcpy(to + (at - offset), &strip[begin], count);
    at += count;
  }
  return {};
}

} // namespace npu::codegen
