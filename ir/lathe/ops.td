// Every op of the dialect. Formulas use T rows, H hidden columns, E experts, K chosen experts.
#ifndef LATHE_IR_OPS_TD
#define LATHE_IR_OPS_TD

include "ir/lathe/dialect.td"
include "ir/lathe/interfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Lathe_Op<string mnemonic, list<Trait> traits = []>
    : Lathe_OpWithParts<Lathe_Dialect, mnemonic, traits> {
  let hasVerifier = 1;
}

include "ir/lathe/basic_ops.td"
include "ir/lathe/linear_ops.td"
include "ir/lathe/quantization_ops.td"
include "ir/lathe/attention_ops.td"
include "ir/lathe/moe_ops.td"

#endif
