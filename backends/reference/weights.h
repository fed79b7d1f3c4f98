// Where the interpreter gets its weights from.
#pragma once

#include <cstdint>

#include "mlir/IR/Types.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include "backends/reference/quantization.h"
#include "ir/lathe/dialect.h"

namespace lathe::reference {

class WeightSource {
public:
  virtual ~WeightSource() = default;
  // The value of a weight, a Tensor or Codes with the shape of its result. On failure an error has
  // been emitted at the op. The interpreter asks once for each op and keeps the answer.
  virtual mlir::FailureOr<Value> load(ir::WeightOp op) = 0;
};

// A tensor as a checkpoint stores it: little-endian, row-major.
struct StoredTensor {
  mlir::Type element;
  llvm::SmallVector<int64_t> shape;
  llvm::ArrayRef<uint8_t> bytes;
};

// Weights out of stored tensors: checks what is stored against the op, cuts `rows`, stacks experts,
// decodes. Subclasses know only how to find a tensor.
class StoredWeights : public WeightSource {
public:
  mlir::FailureOr<Value> load(ir::WeightOp op) final;

protected:
  // Emits an error at `op` where the tensor is not there.
  virtual mlir::FailureOr<StoredTensor> find(ir::WeightOp op, ir::TensorRefAttr reference) = 0;
};

// Pseudo-random weights for tests, so that any IR can be run without a checkpoint. An element
// depends on the seed, the name of the stored tensor and its place in that tensor, and on nothing
// else: two modules that read the same tensors in other ways (stacked, cut, fused) see the same
// numbers. Vectors are near 1 (norm scales), matrices such that products keep the size of their
// rows.
class SeededWeights : public WeightSource {
public:
  explicit SeededWeights(uint64_t seed) : seed_(seed) {}
  mlir::FailureOr<Value> load(ir::WeightOp op) override;

private:
  mlir::FailureOr<Value> loadStored(ir::WeightOp op);

  uint64_t seed_;
};

// What a weight that is stored in another type than its result's is, given what is stored. On
// failure an error has been emitted at the op.
mlir::FailureOr<Value> convertWeight(ir::WeightOp op, const Value &stored);

// Decodes `bytes` as elements of the type; failure if it is no type that is stored for weights.
mlir::FailureOr<std::vector<float>> decodeElements(mlir::Type element,
                                                   llvm::ArrayRef<uint8_t> bytes);

// The value types' counterparts of MLIR types: f32, bf16 or f16.
Element elementOf(mlir::Type type);

// What the codes of a quantised type are.
CodeKind codeKindOf(mlir::Type element);

} // namespace lathe::reference
