#include "compile/weights.h"

#include <algorithm>
#include <memory>

#include "floats.h"

namespace onednn {
namespace {

uint64_t bytesOfElements(uint32_t element, uint64_t count) {
  switch (element) {
  case LATHE_ELEMENT_F32: return count * 4;
  case LATHE_ELEMENT_F16:
  case LATHE_ELEMENT_BF16: return count * 2;
  case LATHE_ELEMENT_I4: return count / 2; // rows end at a byte: see lower.cpp
  default: return count;
  }
}

// Reads rows of a constant of floats, or of codes and scales, as f32.
class RowReader {
public:
  RowReader(const lathe_program &program, const lathe_constant *constant, uint64_t columns)
      : program_(program), constant_(constant), type_(take(take(constant).type)),
        columns_(columns) {}

  void read(uint64_t row, float *numbers) {
    readElements(0, type_.element, row * columns_, columns_, numbers);
    if (type_.kind != LATHE_TYPE_QUANTIZED)
      return;
    const auto rows = static_cast<uint64_t>(std::max<int64_t>(type_.block_rows, 1));
    const auto block = static_cast<uint64_t>(std::max<int64_t>(type_.block_columns, 1));
    scales_.resize((columns_ + block - 1) / block);
    readElements(1, type_.scale_element, row / rows * scales_.size(), scales_.size(),
                 scales_.data());
    for (uint64_t j = 0; j < columns_; ++j)
      numbers[j] *= scales_[j / block];
  }

private:
  void readElements(uint32_t scales, uint32_t element, uint64_t first, uint64_t count,
                    float *numbers) {
    const uint64_t begin = bytesOfElements(element, first), size = bytesOfElements(element, count);
    stored_.resize(size);
    lathe_read_args args = {sizeof args, nullptr, constant_, scales,
                            0,           begin,   size,      stored_.data()};
    if (lathe_error *error = program_.read(program_.context, &args)) {
      const Failure failure{error->code, std::string(view(error->message))};
      error->release(error);
      throw failure;
    }
    widen(numbers, stored_.data(), element, count);
  }

  const lathe_program &program_;
  const lathe_constant *constant_;
  lathe_type type_;
  uint64_t columns_;
  std::vector<uint8_t> stored_;
  std::vector<float> scales_;
};

void appendQuoted(std::string &json, std::string_view text) {
  json += '"';
  for (char c : text) {
    if (c == '"' || c == '\\')
      json += '\\';
    json += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  json += '"';
}

} // namespace

Place Weights::place(const lathe_constant *theirs, Element element) {
  const lathe_constant constant = take(theirs);
  size_t i = 0;
  while (i < weights_.size() && (weights_[i].id != constant.id || weights_[i].element != element))
    ++i;
  if (i == weights_.size()) {
    Weight &weight = weights_.emplace_back(
        Weight{{}, theirs, constant.id, element, *shapeOf(take(constant.type))});
    const uint64_t bytes = weight.shape.rows * weight.shape.columns * elementBytes(element);
    weight.packed = {sizeof weight.packed,
                     text(element == element_f32 ? "rows_f32" : "rows_bf16"),
                     &weight.id,
                     1,
                     bytes,
                     64};
    shown_.push_back(&weight.packed);
  }
  const Shape &shape = weights_[i].shape;
  return {place_weight, i, 0, shape.columns, element, shape};
}

// The part may begin and end inside of a row.
void Weights::pack(const lathe_program *program, const lathe_pack_args &args) const {
  if (args.weight >= weights_.size())
    fail(LATHE_ERROR_INVALID_ARGUMENT, "there is no weight " + std::to_string(args.weight));
  const Weight &weight = weights_[args.weight];
  if (args.offset > weight.packed.size || args.size > weight.packed.size - args.offset)
    fail(LATHE_ERROR_INVALID_ARGUMENT, "weight " + std::to_string(args.weight) + " has " +
                                           std::to_string(weight.packed.size) + " bytes");
  const uint64_t columns = weight.shape.columns, end = args.offset + args.size;
  const uint64_t row_bytes = columns * elementBytes(weight.element);
  const lathe_program mine = take(program);
  RowReader reader(mine, weight.constant, columns);
  std::vector<float> numbers(columns);
  std::vector<uint16_t> halves(columns);
  auto *to = static_cast<char *>(args.destination);
  for (uint64_t at = args.offset, part; at < end; at += part, to += part) {
    const uint64_t skipped = at % row_bytes;
    reader.read(at / row_bytes, numbers.data());
    if (weight.element == element_bf16)
      toBf16(halves.data(), numbers.data(), columns);
    const auto *packed = reinterpret_cast<const char *>(
        weight.element == element_f32 ? static_cast<const void *>(numbers.data()) : halves.data());
    part = std::min(row_bytes - skipped, end - at);
    std::memcpy(to, packed + skipped, part);
  }
}

std::string Weights::conversions() const {
  std::string json = "[";
  for (const Weight &weight : weights_) {
    const lathe_constant constant = take(weight.constant);
    const char *stored = elementName(take(constant.type).element);
    const char *packed = weight.element == element_f32 ? "f32" : "bf16";
    if (std::string_view(stored) == packed)
      continue;
    json += json.size() > 1 ? ",{\"weight\":" : "{\"weight\":";
    appendQuoted(json, view(constant.name));
    json.append(",\"from\":\"").append(stored).append("\",\"to\":\"").append(packed);
    json += weight.element == element_f32 ? "\",\"rounded\":false}" : "\",\"rounded\":true}";
  }
  json += "]";
  return json;
}

} // namespace onednn
