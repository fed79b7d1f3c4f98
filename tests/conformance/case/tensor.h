// A tensor of the checkpoint that a case stands for. Its bytes are made when they are first asked
// for: most targets take few cases.
#pragma once

#include <cstdint>
#include <vector>

#include "mlir/IR/Types.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include "tests/conformance/case/fill.h"

namespace lathe::conformance {

class Tensor {
public:
  Tensor(mlir::Type element, llvm::ArrayRef<int64_t> shape, Fill fill,
         const reference::Noise &noise)
      : element_(element), shape_(shape), fill_(std::move(fill)), noise_(noise) {}

  mlir::Type element() const { return element_; }
  llvm::ArrayRef<int64_t> shape() const { return shape_; }
  // Little-endian, row-major. Not thread-safe.
  llvm::ArrayRef<uint8_t> bytes() const;

private:
  mlir::Type element_;
  llvm::SmallVector<int64_t> shape_;
  Fill fill_;
  reference::Noise noise_;
  mutable std::vector<uint8_t> bytes_;
};

} // namespace lathe::conformance
