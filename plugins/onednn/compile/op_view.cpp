#include "compile/op_view.h"

#include <iterator>

namespace onednn {
namespace {

std::vector<Value> named(const lathe_operand *const *operands, size_t count, const char *name) {
  std::vector<Value> found;
  for (size_t i = 0; i < count; ++i) {
    const lathe_operand operand = take(operands[i]);
    if (!name || view(operand.name) == name)
      found.emplace_back(operand.value);
  }
  return found;
}

} // namespace

Value::Value(const lathe_value *theirs) : theirs(theirs) {
  const lathe_value value = take(theirs);
  id = value.id;
  type = take(value.type);
}

std::optional<Shape> shapeOf(const lathe_type &type) {
  const bool has_extents = type.kind == LATHE_TYPE_TENSOR || type.kind == LATHE_TYPE_QUANTIZED;
  if (!has_extents || type.rank < 1 || type.rank > 2)
    return std::nullopt;
  const int64_t first = type.shape[0], last = type.shape[type.rank - 1];
  const auto columns = static_cast<uint64_t>(type.rank == 2 ? last : 1);
  const auto factor = static_cast<uint64_t>(type.row_factor == 0 ? 1 : type.row_factor);
  Shape shape = {extent_constant, static_cast<uint64_t>(type.rank == 2 ? first : 1),
                 static_cast<uint64_t>(last)};
  if (first == LATHE_EXTENT_ROWS)
    shape = {extent_rows, factor, columns};
  else if (first == LATHE_EXTENT_OUTPUT_ROWS)
    shape = {extent_output_rows, factor, columns};
  if (!isSound(shape))
    return std::nullopt;
  return shape;
}

const char *elementName(uint32_t element) {
  static const char *const names[] = {"none", "f32", "f16",  "bf16", "i32",
                                      "i8",   "i4",  "e4m3", "e5m2", "e8m0"};
  return element < std::size(names) ? names[element] : "of an unknown element";
}

std::string typeName(const Value &value) {
  if (value.isTensor())
    return elementName(value.type.element);
  return value.isQuantized() ? std::string(elementName(value.type.element)) + " codes" : "a cache";
}

Value OpView::operand(const char *name) const {
  std::optional<Value> found = optionalOperand(name);
  if (!found)
    makesNoSense("lacks an operand");
  return *found;
}

std::optional<Value> OpView::optionalOperand(const char *name) const {
  const std::vector<Value> found = operands(name);
  return found.empty() ? std::nullopt : std::optional<Value>(found.front());
}

std::vector<Value> OpView::operands(const char *name) const {
  return named(op_.operands, op_.operand_count, name);
}

Value OpView::result(const char *name) const {
  const std::vector<Value> found = named(op_.results, op_.result_count, name);
  if (found.empty())
    makesNoSense("lacks a result");
  return found.front();
}

std::vector<Value> OpView::results() const { return named(op_.results, op_.result_count, nullptr); }

const lathe_attribute *OpView::attribute(const char *name, uint32_t kind) const {
  for (size_t i = 0; i < op_.attribute_count; ++i) {
    const lathe_attribute attribute = take(op_.attributes[i]);
    if (attribute.kind == kind && view(attribute.name) == name)
      return op_.attributes[i];
  }
  return nullptr;
}

double OpView::real(const char *name) const {
  const lathe_attribute *found = attribute(name, LATHE_ATTRIBUTE_REAL);
  return found ? take(found).real : 0;
}

int64_t OpView::integer(const char *name) const {
  const lathe_attribute *found = attribute(name, LATHE_ATTRIBUTE_INTEGER);
  return found ? take(found).integer : 0;
}

void OpView::makesNoSense(const char *rule) const {
  fail(LATHE_ERROR_INVALID_ARGUMENT, shown(op_.name) + " at '" + shown(op_.location) + "' " + rule);
}

} // namespace onednn
