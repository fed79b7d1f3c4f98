#include "compile/lower.h"

#include <algorithm>

namespace onednn {
namespace {

constexpr uint32_t kKnownVersion = 1; // of each op's meaning

bool isFloat(uint32_t element) {
  return element == LATHE_ELEMENT_F32 || element == LATHE_ELEMENT_F16 ||
         element == LATHE_ELEMENT_BF16;
}

bool isCode(uint32_t element) {
  return element == LATHE_ELEMENT_E4M3 || element == LATHE_ELEMENT_E5M2 ||
         element == LATHE_ELEMENT_I8 || element == LATHE_ELEMENT_I4;
}

[[noreturn]] void refuseType(const std::string &name, const Value &value, const char *taken) {
  throw Refusal{LATHE_REASON_UNSUPPORTED_TYPE,
                name + " is " + typeName(value) + "; onednn takes " + taken};
}

void refuseShape(const std::string &name, const Value &value) {
  if (value.type.rank < 1 || value.type.rank > 2)
    throw Refusal{LATHE_REASON_SHAPE_LIMIT, name + " has " + std::to_string(value.type.rank) +
                                                " dimensions; onednn takes 1 or 2"};
  if (!shapeOf(value.type))
    throw Refusal{LATHE_REASON_SHAPE_LIMIT,
                  name + " has an extent that is not in 1 to " + std::to_string(kMaxExtent)};
}

// Whether what is read of the checkpoint has the type of the result: the host converts.
bool isConstantOf(const lathe_constant *theirs, const Value &result) {
  if (!theirs)
    return false;
  const lathe_type stored = take(take(theirs).type), &type = result.type;
  const std::optional<Shape> shape = shapeOf(type);
  return stored.kind == type.kind && stored.element == type.element &&
         stored.block_rows == type.block_rows && stored.block_columns == type.block_columns &&
         stored.scale_element == type.scale_element && shape && shape == shapeOf(stored) &&
         shape->extent == extent_constant;
}

} // namespace

void Lowering::run() {
  static constexpr struct {
    const char *name;
    void (Lowering::*lower)();
  } ops[] = {
      {"lathe.weight", &Lowering::weight},
      {"lathe.linear", &Lowering::linear},
      {"lathe.scaled_matmul", &Lowering::linear}, // weight only: one formula with a linear's
      {"lathe.fused_linear", &Lowering::fusedLinear},
      {"lathe.gated_linear", &Lowering::gatedLinear},
      {"lathe.rms_norm", &Lowering::rmsNorm},
      {"lathe.add", &Lowering::add},
      {"lathe.scale", &Lowering::scale},
      {"lathe.swiglu", &Lowering::swiglu},
      {"lathe.cast", &Lowering::cast},
      {"lathe.slice", &Lowering::slice},
      {"lathe.concat", &Lowering::concat},
      {"lathe.attention", &Lowering::attention},
      {"lathe.mla_attention", &Lowering::mlaAttention},
      {"lathe.absorb_query", &Lowering::absorbQuery},
      {"lathe.expand_value", &Lowering::expandValue},
  };
  const auto *known = std::find_if(std::begin(ops), std::end(ops),
                                   [&](const auto &op) { return op_.name() == op.name; });
  if (known == std::end(ops))
    throw Refusal{LATHE_REASON_UNSUPPORTED_OP,
                  "onednn has no " + std::string(op_.name().substr(0, 80)) +
                      "; it takes products, attention, norms, sums and gates"};
  if (op_.version() > kKnownVersion)
    throw Refusal{LATHE_REASON_UNSUPPORTED_OP, std::string(known->name) + " is of version " +
                                                   std::to_string(op_.version()) +
                                                   "; onednn knows 1"};
  (this->*known->lower)();
}

void Lowering::emit(const Instruction &instruction) {
  if (!fits(instruction))
    op_.makesNoSense("breaks the rules of its operands' shapes or attributes");
  emitter_.emit(instruction);
}

// ---- Places -------------------------------------------------------------------------------------

void Lowering::look(const char *name, const Value &value, bool may_be_weight) {
  const bool is_float = value.isTensor() && isFloat(value.type.element);
  const bool is_codes = value.isQuantized() && isCode(value.type.element);
  if (may_be_weight && !is_float && !is_codes)
    refuseType(name, value, "floats, and codes of e4m3, e5m2, i8 and i4");
  if (!may_be_weight && !is_float)
    refuseType(name, value, "rows of floats");
  refuseShape(name, value);
  if (value.isQuantized() && value.type.element == LATHE_ELEMENT_I4 &&
      value.type.shape[value.type.rank - 1] % 2 != 0)
    throw Refusal{LATHE_REASON_SHAPE_LIMIT,
                  std::string(name) + " has rows of i4 that end inside of a byte"};
}

Place Lowering::rows(const char *name, const Value &value) {
  look(name, value, false);
  return emitter_.take(value);
}

Place Lowering::vector(const char *name, const Value &value) {
  look(name, value, false);
  return emitter_.takeWeight(value, element_f32);
}

Place Lowering::matrix(const char *name, const Value &value, Element element) {
  look(name, value, true);
  return emitter_.takeWeight(value, element);
}

Place Lowering::result(const char *name, const Value &value) {
  look(name, value, false);
  return emitter_.give(value);
}

Place Lowering::indices(const char *name) {
  const Value value = op_.operand(name);
  if (!value.isTensor() || value.type.element != LATHE_ELEMENT_I32)
    refuseType(name, value, "i32");
  refuseShape(name, value);
  return emitter_.takeIndices(value);
}

// ---- Weights and rows ---------------------------------------------------------------------------

// Nothing to do in a run. How it is packed is up to who takes it.
void Lowering::weight() {
  const Value value = op_.result("result");
  look("result", value, true);
  if (!isConstantOf(op_.constant(), value))
    op_.makesNoSense("has another type than its constant");
}

void Lowering::rmsNorm() {
  Instruction instruction{.kind = run_rms_norm, .real = op_.real("epsilon")};
  instruction.places[1] = rows("input", op_.operand("input"));
  instruction.places[2] = vector("scale", op_.operand("scale"));
  instruction.places[0] = result("result", op_.result("result"));
  emit(instruction);
}

void Lowering::add() {
  Instruction instruction{.kind = run_add};
  instruction.places[1] = rows("lhs", op_.operand("lhs"));
  instruction.places[2] = rows("rhs", op_.operand("rhs"));
  instruction.places[0] = result("result", op_.result("result"));
  emit(instruction);
}

void Lowering::scale() {
  Instruction instruction{.kind = run_scale, .real = op_.real("factor")};
  instruction.places[1] = rows("input", op_.operand("input"));
  instruction.places[0] = result("result", op_.result("result"));
  emit(instruction);
}

void Lowering::swiglu() {
  Instruction instruction{.kind = run_swiglu};
  instruction.places[1] = rows("gate", op_.operand("gate"));
  instruction.places[2] = rows("up", op_.operand("up"));
  instruction.places[0] = result("result", op_.result("result"));
  emit(instruction);
}

static Rounding roundingTo(uint32_t element) {
  return element == LATHE_ELEMENT_BF16  ? round_bf16
         : element == LATHE_ELEMENT_F16 ? round_f16
                                        : round_not;
}

void Lowering::cast() {
  const Value to = op_.result("result");
  Instruction instruction{.kind = run_copy, .rounding = roundingTo(to.type.element)};
  instruction.places[1] = rows("input", op_.operand("input"));
  instruction.places[0] = result("result", to);
  emit(instruction);
}

// A view: nothing runs.
void Lowering::slice() {
  const Value value = op_.result("result");
  look("result", value, false);
  Place place = rows("input", op_.operand("input"));
  const Shape shape = *shapeOf(value.type);
  const auto offset = static_cast<uint64_t>(op_.integer("offset"));
  if (shape.extent != place.shape.extent || shape.rows != place.shape.rows ||
      offset > place.shape.columns || shape.columns > place.shape.columns - offset)
    op_.makesNoSense("breaks the rules of its operands' shapes or attributes");
  place.offset += offset * sizeof(float);
  place.shape = shape;
  emitter_.giveView(value, place);
}

void Lowering::concat() {
  const Place whole = result("result", op_.result("result"));
  uint64_t columns = 0;
  for (const Value &input : op_.operands("inputs")) {
    Instruction instruction{.kind = run_copy};
    instruction.places[1] = rows("inputs", input);
    Place part = whole;
    part.offset += columns * sizeof(float);
    part.shape.columns = instruction.places[1].shape.columns;
    columns += part.shape.columns;
    instruction.places[0] = part;
    emit(instruction);
  }
  if (columns != whole.shape.columns)
    op_.makesNoSense("has other columns than its inputs together");
}

} // namespace onednn
