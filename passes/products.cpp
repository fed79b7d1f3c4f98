#include "passes/products.h"

namespace lathe::passes {

std::optional<Product> productOf(mlir::Operation *op) {
  if (auto linear = llvm::dyn_cast_or_null<ir::LinearOp>(op))
    return Product{linear.getX(), linear.getWeight(), linear.getBias(), linear.getResult()};
  if (auto scaled = llvm::dyn_cast_or_null<ir::ScaledMatmulOp>(op))
    return Product{scaled.getX(), scaled.getWeight(), scaled.getBias(), scaled.getResult()};
  return std::nullopt;
}

llvm::SmallVector<Product> productsOf(mlir::Operation *op) {
  auto fused = mlir::dyn_cast<ir::FusedLinearOp>(op);
  if (!fused) {
    const std::optional<Product> one = productOf(op);
    return one ? llvm::SmallVector<Product>{*one} : llvm::SmallVector<Product>();
  }
  llvm::SmallVector<Product> products;
  for (auto [index, weight] : llvm::enumerate(fused.getWeights())) {
    const mlir::Value bias = fused.getBiases().empty() ? mlir::Value() : fused.getBiases()[index];
    products.push_back({fused.getX(), weight, bias, fused.getResults()[index]});
  }
  return products;
}

bool isRouter(const Product &product) {
  return llvm::any_of(product.result.getUsers(), llvm::IsaPred<ir::MoeRouteOp>);
}

namespace {

mlir::Operation *makeOne(mlir::RewriterBase &rewriter, mlir::Location location, const Product &p) {
  if (p.isQuantized())
    return ir::ScaledMatmulOp::create(rewriter, location, p.result.getType(), p.x, p.weight,
                                      p.bias);
  return ir::LinearOp::create(rewriter, location, p.result.getType(), p.x, p.weight, p.bias);
}

mlir::Operation *makeSeveral(mlir::RewriterBase &rewriter, mlir::Location location,
                             llvm::ArrayRef<Product> products) {
  llvm::SmallVector<mlir::Type> types;
  llvm::SmallVector<mlir::Value> weights, biases;
  for (const Product &product : products) {
    types.push_back(product.result.getType());
    weights.push_back(product.weight);
    if (product.bias)
      biases.push_back(product.bias);
  }
  return ir::FusedLinearOp::create(rewriter, location, types, products.front().x, weights, biases);
}

} // namespace

mlir::Operation *remake(mlir::RewriterBase &rewriter, mlir::Location location,
                        llvm::ArrayRef<Product> products) {
  mlir::Operation *made = products.size() == 1 ? makeOne(rewriter, location, products.front())
                                               : makeSeveral(rewriter, location, products);
  for (auto [product, result] : llvm::zip(products, made->getResults()))
    rewriter.replaceAllUsesWith(product.result, result);
  return made;
}

} // namespace lathe::passes
