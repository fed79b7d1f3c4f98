// An op of the host, and its values and types, read with the structs of either age.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "border.h"
#include "code/code.h"

namespace onednn {

// Why an op is not taken: thrown while it is lowered.
struct Refusal {
  uint32_t reason; // LATHE_REASON_*
  std::string text;
};

// A value with its type. The pointers are the host's.
struct Value {
  const lathe_value *theirs = nullptr;
  uint32_t id = 0;
  lathe_type type = {};

  explicit Value(const lathe_value *theirs);
  bool isTensor() const { return type.kind == LATHE_TYPE_TENSOR; }
  bool isQuantized() const { return type.kind == LATHE_TYPE_QUANTIZED; }
  bool isHalf() const {
    return type.element == LATHE_ELEMENT_BF16 || type.element == LATHE_ELEMENT_F16;
  }
};

// Of a tensor or of codes of one or two dimensions; none where it has more, or an extent out of
// bounds.
std::optional<Shape> shapeOf(const lathe_type &type);
const char *elementName(uint32_t element);
// "f32", "bf16", of codes "e4m3 codes"; of caches "a cache".
std::string typeName(const Value &value);

class OpView {
public:
  explicit OpView(const lathe_op *theirs) : op_(take(theirs)) {}

  std::string_view name() const { return view(op_.name); }
  uint32_t version() const { return op_.version; }
  const lathe_constant *constant() const { return op_.constant; }
  std::string location() const { return shown(op_.location); }

  // A part that the op must have; INVALID_ARGUMENT where it lacks it.
  Value operand(const char *name) const;
  std::optional<Value> optionalOperand(const char *name) const;
  // Of a part that takes several; NULL: all.
  std::vector<Value> operands(const char *name) const;
  Value result(const char *name) const;
  std::vector<Value> results() const;

  double real(const char *name) const;
  int64_t integer(const char *name) const; // 0 where it is left out

  // What no verified program holds is not refused: the question makes no sense.
  [[noreturn]] void makesNoSense(const char *rule) const;

private:
  const lathe_attribute *attribute(const char *name, uint32_t kind) const;

  lathe_op op_;
};

} // namespace onednn
