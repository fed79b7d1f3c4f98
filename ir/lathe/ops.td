// Every op of the dialect. Formulas use T rows, H hidden columns, E experts, K chosen experts.
#ifndef LATHE_IR_OPS_TD
#define LATHE_IR_OPS_TD

include "ir/lathe/dialect.td"
include "ir/lathe/interfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Lathe_Op<string mnemonic, list<Trait> traits = []>
    : Op<Lathe_Dialect, mnemonic, !listconcat(traits, [Lathe_NamedParts])> {
  let hasVerifier = 1;
  code ownDeclarations = "";
  let extraClassDeclaration = [{
    static ::llvm::ArrayRef<::llvm::StringRef> operandNames() {
      static const ::llvm::SmallVector<::llvm::StringRef> names = {}] #
          Lathe_ValueNames<arguments>.literals # [{};
      return names;
    }
    static ::llvm::ArrayRef<::llvm::StringRef> resultNames() {
      static const ::llvm::SmallVector<::llvm::StringRef> names = {}] #
          Lathe_ValueNames<results>.literals # [{};
      return names;
    }
  }] # ownDeclarations;
}

include "ir/lathe/basic_ops.td"
include "ir/lathe/linear_ops.td"
include "ir/lathe/quantization_ops.td"
include "ir/lathe/attention_ops.td"
include "ir/lathe/moe_ops.td"

#endif
