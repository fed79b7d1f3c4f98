// From an op to instructions: what is taken, and what is made of it, known in one place. `supports`
// lowers an op only to look at what comes out; `compile` keeps it.
#pragma once

#include "code/code.h"
#include "compile/op_view.h"

namespace onednn {

// One of the two targets: what products take their inputs as.
enum class Products { f32, bf16 };

// Where values stand, and who takes the instructions.
class Emitter {
public:
  virtual ~Emitter() = default;
  // Rows, f32 in memory whatever the model's element.
  virtual Place take(const Value &value) = 0;
  virtual Place takeIndices(const Value &value) = 0;
  // A weight, packed as `element` where it is a constant; otherwise as it stands in memory.
  virtual Place takeWeight(const Value &value, Element element) = 0;
  virtual Place give(const Value &value) = 0;
  // The value is these columns of what is already there.
  virtual void giveView(const Value &value, const Place &place) = 0;
  virtual Place scratch(const Shape &shape) = 0;
  // Where the cache stands in the state.
  virtual uint64_t cacheOffset(const Value &cache, uint64_t bytes) = 0;
  virtual void emit(const Instruction &instruction) = 0;
};

class Lowering {
public:
  Lowering(const OpView &op, Products products, Emitter &emitter)
      : op_(op), products_(products), emitter_(emitter) {}

  // Throws a Refusal where the op is not taken, a Failure where it makes no sense.
  void run();
  // What values are rounded to on the way; empty where nothing is.
  const std::string &converted() const { return converted_; }

private:
  // lower.cpp
  void weight();
  void rmsNorm();
  void add();
  void scale();
  void swiglu();
  void cast();
  void slice();
  void concat();
  // lower_products.cpp
  void linear();
  void fusedLinear();
  void gatedLinear();
  void product(const Place &result, const Value &x, const Value &weight, const Value *bias);
  // lower_attention.cpp
  void attention();
  void mlaAttention();
  void absorbQuery();
  void expandValue();
  void fold(InstructionKind kind, const Place &result, const Place &input, const Place &kv_b);
  void attend(Instruction instruction, const Value &cache);

  // The places of operands; each refuses types that it does not take, by the operand's name.
  Place rows(const char *name, const Value &value);
  Place indices(const char *name);
  Place vector(const char *name, const Value &value);
  Place matrix(const char *name, const Value &value, Element element);
  Place result(const char *name, const Value &value);
  void look(const char *name, const Value &value, bool may_be_weight);

  // Not one that breaks the rules of the dialect.
  void emit(const Instruction &instruction);

  const OpView &op_;
  Products products_;
  Emitter &emitter_;
  std::string converted_;
};

} // namespace onednn
