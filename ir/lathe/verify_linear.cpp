// Labels: (Cn) of an op's description in linear_ops.td and quantization_ops.td.
#include "ir/lathe/verify.h"

namespace lathe::ir {

using llvm::LogicalResult;
using mlir::failure;
using mlir::success;

namespace {

// The rules of scaled_matmul, for every op that makes such products. `bias` may be null.
struct Product {
  mlir::Operation *op;
  mlir::Value x, weight, bias, result;

  LogicalResult verifyColumns() const { // C1
    if (columnsOf(x) != columnsOf(weight))
      return wrongCount(op, "x", columnsOf(x), "columns", columnsOf(weight), "the weight has");
    return success();
  }
  LogicalResult verifyResult() const { // C2
    if (columnsOf(result) != rowsOf(weight))
      return wrongCount(op, "result", columnsOf(result), "columns", rowsOf(weight),
                        "the weight has rows");
    return verifySameRows(op, {x, result});
  }
  LogicalResult verifyBias() const { // C3
    if (bias && rowsOf(bias) != rowsOf(weight))
      return wrongCount(op, "bias", rowsOf(bias), "elements", rowsOf(weight),
                        "the weight has rows");
    return success();
  }
  LogicalResult verifyBlocks() const { // C4
    auto codes = llvm::dyn_cast<QuantizedType>(x.getType());
    if (!codes)
      return success();
    auto weights = llvm::dyn_cast<QuantizedType>(weight.getType());
    if (!weights)
      return op->emitOpError("x is quantised and the weight is a ")
             << weight.getType() << "; it should be quantised, too";
    if (codes.getBlockRows() != 1)
      return op->emitOpError("x has blocks of ")
             << codes.getBlockRows() << " rows; it should have blocks of 1";
    if (!blocksNest(blockColumnsWithin(codes), blockColumnsWithin(weights)) &&
        blockColumnsWithin(codes) != columnsOf(x) && blockColumnsWithin(weights) != columnsOf(x))
      return op->emitOpError("blocks of x have ")
             << codes.getBlockColumns() << " columns and those of the weight "
             << weights.getBlockColumns() << "; one should be a multiple of the other";
    return success();
  }
};

} // namespace

LogicalResult CastOp::verify() {
  // cast_c1
  if (!agree(shapeOf(getInput().getType()), shapeOf(getType())))
    return emitOpError("input is ")
           << shapeText(shapeOf(getInput().getType())) << " and result "
           << shapeText(shapeOf(getType())) << "; they should have one shape";
  return success();
}

LogicalResult LinearOp::verify() {
  const Product product{*this, getX(), getWeight(), getBias(), getResult()};
  // linear_c1, linear_c2, linear_c3
  return success(succeeded(product.verifyColumns()) && succeeded(product.verifyResult()) &&
                 succeeded(product.verifyBias()));
}

LogicalResult ScaledMatmulOp::verify() {
  const Product product{*this, getX(), getWeight(), getBias(), getResult()};
  // scaled_matmul_c1, scaled_matmul_c2, scaled_matmul_c3, scaled_matmul_c4
  return success(succeeded(product.verifyColumns()) && succeeded(product.verifyResult()) &&
                 succeeded(product.verifyBias()) && succeeded(product.verifyBlocks()));
}

LogicalResult FusedLinearOp::verify() {
  // fused_linear_c1
  const size_t weights = getWeights().size();
  if (weights < 2 || getResults().size() != weights)
    return emitOpError("has ")
           << weights << " weights and " << getResults().size()
           << " results; there should be at least 2, and as many of one as of the other";
  // fused_linear_c2
  if (!getBiases().empty() && getBiases().size() != weights)
    return emitOpError("has ") << getBiases().size() << " biases; there should be none or "
                               << weights;
  for (size_t i = 0; i < weights; ++i) {
    const mlir::Value bias = getBiases().empty() ? mlir::Value() : getBiases()[i];
    const Product product{*this, getX(), getWeights()[i], bias, getResults()[i]};
    // fused_linear_c3
    if (failed(product.verifyColumns()) || failed(product.verifyResult()) ||
        failed(product.verifyBias()))
      return failure();
    // fused_linear_c4
    if (failed(product.verifyBlocks()))
      return failure();
  }
  return success();
}

LogicalResult GatedLinearOp::verify() {
  // gated_linear_c1
  if (getGate().getType() != getUp().getType())
    return emitOpError("gate is a ") << getGate().getType() << " and up a " << getUp().getType()
                                     << "; they should have one type";
  const Product product{*this, getX(), getGate(), getGateBias(), getResult()};
  if (failed(product.verifyColumns()) || failed(product.verifyResult()) ||
      failed(product.verifyBlocks()))
    return failure();
  // gated_linear_c2
  const int64_t biases = (getGateBias() ? 1 : 0) + (getUpBias() ? 1 : 0);
  if (biases == 1)
    return emitOpError("has 1 bias; it should have 2 or none");
  if (failed(product.verifyBias()))
    return failure();
  return Product{*this, getX(), getUp(), getUpBias(), getResult()}.verifyBias();
}

LogicalResult QuantizeOp::verify() {
  auto type = llvm::cast<QuantizedType>(getResult().getType());
  // quantize_c1
  if (!agree(type.getShape(), shapeOf(getInput().getType())))
    return emitOpError("result is ")
           << shapeText(type.getShape()) << "; it should have the shape of `input`, "
           << shapeText(shapeOf(getInput().getType()));
  const bool is_e4m3 = llvm::isa<mlir::Float8E4M3FNType>(type.getElementType());
  const bool has_powers = llvm::isa<mlir::Float8E8M0FNUType>(type.getScaleType());
  if (type.getBlockRows() != 1 || (!is_e4m3 && !type.getElementType().isInteger(8)) ||
      (!type.getScaleType().isF32() && !(is_e4m3 && has_powers)))
    return emitOpError("result is a ")
           << type
           << "; it should have f8E4M3FN codes with scales of f32 or f8E8M0FNU, or i8 codes with "
              "scales of f32, and blocks of 1 row";
  return success();
}

LogicalResult DequantizeOp::verify() {
  // dequantize_c1
  if (!agree(shapeOf(getType()), shapeOf(getInput().getType())))
    return emitOpError("result is ")
           << shapeText(shapeOf(getType())) << "; it should have the shape of `input`, "
           << shapeText(shapeOf(getInput().getType()));
  return success();
}

} // namespace lathe::ir
