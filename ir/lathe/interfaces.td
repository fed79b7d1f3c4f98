// What every op of the dialect can say of itself, for whoever walks a program without knowing its ops.
#ifndef LATHE_IR_INTERFACES_TD
#define LATHE_IR_INTERFACES_TD

include "mlir/IR/OpBase.td"

// An op lists the names of its description through `operandNames` and `resultNames`, which Lathe_Op
// makes of `arguments` and `results`.
def Lathe_NamedParts : OpInterface<"NamedParts"> {
  let description = "Operands and results by the names that the op's description gives them.";
  let cppNamespace = "::lathe::ir";
  let methods = [
    InterfaceMethod<
      "Each operand with its name: those of a variadic part have one name, an absent one is not there.",
      "::llvm::SmallVector<::lathe::ir::NamedPart>", "namedOperands", (ins), [{
        ::llvm::SmallVector<::lathe::ir::NamedPart> parts;
        for (auto [index, name] : ::llvm::enumerate(ConcreteOp::operandNames()))
          for (::mlir::Value value : $_op.getODSOperands(index))
            parts.push_back({name, value});
        return parts;
      }]>,
    InterfaceMethod<
      "As namedOperands, of the results.",
      "::llvm::SmallVector<::lathe::ir::NamedPart>", "namedResults", (ins), [{
        ::llvm::SmallVector<::lathe::ir::NamedPart> parts;
        for (auto [index, name] : ::llvm::enumerate(ConcreteOp::resultNames()))
          for (::mlir::Value value : $_op.getODSResults(index))
            parts.push_back({name, value});
        return parts;
      }]>];
}

// The names of those arguments that are values, as a list of C++ string literals.
class Lathe_ValueNames<dag parts> {
  string literals = !foldl("", !range(!size(parts)), names, i,
      names # !if(!initialized(!getdagarg<TypeConstraint>(parts, i)),
                 "\"" # !getdagname(parts, i) # "\", ", ""));
}

// An op whose parts have names.
class Lathe_OpWithParts<Dialect dialect, string mnemonic, list<Trait> traits>
    : Op<dialect, mnemonic, !listconcat(traits, [Lathe_NamedParts])> {
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

#endif
