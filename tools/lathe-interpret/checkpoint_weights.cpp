#include "tools/lathe-interpret/checkpoint_weights.h"

#include "mlir/IR/BuiltinTypes.h"

namespace lathe::reference {

namespace {

// Null for a type that no weight has.
mlir::Type elementType(mlir::MLIRContext *context, frontend::DType dtype) {
  switch (dtype) {
  case frontend::DType::f32: return mlir::Float32Type::get(context);
  case frontend::DType::bf16: return mlir::BFloat16Type::get(context);
  case frontend::DType::f16: return mlir::Float16Type::get(context);
  case frontend::DType::f8_e4m3: return mlir::Float8E4M3FNType::get(context);
  case frontend::DType::f8_e5m2: return mlir::Float8E5M2Type::get(context);
  case frontend::DType::f8_e8m0: return mlir::Float8E8M0FNUType::get(context);
  default: return {};
  }
}

} // namespace

mlir::FailureOr<StoredTensor> CheckpointWeights::find(ir::WeightOp op,
                                                      ir::TensorRefAttr reference) {
  const frontend::Tensor *tensor = checkpoint_.find(reference.getName().str());
  if (!tensor)
    return op.emitOpError("tensor ")
           << reference.getName() << " is not in " << checkpoint_.folder();
  const mlir::Type element = elementType(op.getContext(), tensor->dtype);
  if (!element)
    return op.emitOpError("tensor ")
           << reference.getName() << " holds no floats that weights are stored as";
  return StoredTensor{element,
                      {tensor->shape.begin(), tensor->shape.end()},
                      {tensor->bytes.data(), tensor->bytes.size()}};
}

} // namespace lathe::reference
