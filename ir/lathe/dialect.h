// The lathe dialect in C++: ops, types, attributes. See dialect.td and ops.td for what they mean.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "ir/lathe/dialect.h.inc"
#include "ir/lathe/enums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "ir/lathe/attributes.h.inc"
#define GET_TYPEDEF_CLASSES
#include "ir/lathe/types.h.inc"

namespace lathe::ir {
// An operand or a result, and its name in the op's description.
struct NamedPart {
  llvm::StringRef name;
  mlir::Value value;
};
} // namespace lathe::ir
#include "ir/lathe/interfaces.h.inc"
#define GET_OP_CLASSES
#include "ir/lathe/ops.h.inc"

namespace lathe::ir {

// The extents of a float tensor or of a quantised type.
llvm::ArrayRef<int64_t> shapeOf(mlir::Type type);
// Their elements; of a quantised type its codes.
mlir::Type elementTypeOf(mlir::Type type);

} // namespace lathe::ir
