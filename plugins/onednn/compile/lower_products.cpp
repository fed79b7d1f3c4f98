// Products: each is one instruction, fused ones are several.
#include "compile/lower.h"

namespace onednn {

void Lowering::product(const Place &result, const Value &x, const Value &weight,
                       const Value *bias) {
  if (x.isQuantized())
    throw Refusal{LATHE_REASON_UNSUPPORTED_TYPE,
                  "x is codes of dynamic activations; onednn takes floats: compile with "
                  "--activations f32 or bf16"};
  const bool in_bf16 = products_ == Products::bf16;
  Instruction instruction{.kind = run_linear};
  instruction.places[0] = result;
  instruction.places[1] = rows("x", x);
  instruction.places[2] = matrix("weight", weight, in_bf16 ? element_bf16 : element_f32);
  if (bias)
    instruction.places[3] = vector("bias", *bias);
  if (in_bf16 && x.type.element != LATHE_ELEMENT_BF16)
    converted_ = "x is rounded to bf16";
  if (in_bf16 && weight.type.element != LATHE_ELEMENT_BF16)
    converted_ = converted_.empty() ? "the weight is rounded to bf16"
                                    : "x and the weight are rounded to bf16";
  emit(instruction);
}

void Lowering::linear() {
  const std::optional<Value> bias = op_.optionalOperand("bias");
  const Place y = result("result", op_.result("result"));
  product(y, op_.operand("x"), op_.operand("weight"), bias ? &*bias : nullptr);
}

void Lowering::fusedLinear() {
  const std::vector<Value> weights = op_.operands("weights"), biases = op_.operands("biases");
  const std::vector<Value> results = op_.results();
  if (weights.size() != results.size() || (!biases.empty() && biases.size() != weights.size()))
    op_.makesNoSense("has not a result and a bias for each weight, or no bias");
  for (size_t i = 0; i < weights.size(); ++i)
    product(result("results", results[i]), op_.operand("x"), weights[i],
            biases.empty() ? nullptr : &biases[i]);
}

// Both products into scratch memory, then the gate.
void Lowering::gatedLinear() {
  const Value x = op_.operand("x");
  const std::optional<Value> biases[] = {op_.optionalOperand("gate_bias"),
                                         op_.optionalOperand("up_bias")};
  Instruction gate{.kind = run_swiglu};
  gate.places[0] = result("result", op_.result("result"));
  const char *const names[] = {"gate", "up"};
  for (int i = 0; i < 2; ++i) {
    gate.places[1 + i] = emitter_.scratch(gate.places[0].shape);
    product(gate.places[1 + i], x, op_.operand(names[i]), biases[i] ? &*biases[i] : nullptr);
  }
  emit(gate);
}

} // namespace onednn
