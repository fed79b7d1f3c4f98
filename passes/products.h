// The products x W^T + b that linear, scaled_matmul and fused_linear make, as one thing.
#pragma once

#include <optional>

#include "mlir/IR/PatternMatch.h"

#include "ir/lathe/dialect.h"

namespace lathe::passes {

struct Product {
  mlir::Value x, weight, bias, result; // bias is null where there is none

  bool isQuantized() const { return mlir::isa<ir::QuantizedType>(weight.getType()); }
};

// What linear or scaled_matmul makes; nothing for any other op, or for none.
std::optional<Product> productOf(mlir::Operation *op);

// Those of a linear, scaled_matmul or fused_linear, in order; none for any other op.
llvm::SmallVector<Product> productsOf(mlir::Operation *op);

// Its result chooses experts.
bool isRouter(const Product &product);

// Makes `products`, which share one x and have all a bias or none, by one op, and gives its results
// the uses of theirs. Whoever made them before is left without uses.
mlir::Operation *remake(mlir::RewriterBase &rewriter, mlir::Location location,
                        llvm::ArrayRef<Product> products);

} // namespace lathe::passes
