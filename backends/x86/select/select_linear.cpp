// Selection of products.
#include "backends/x86/kernels/linear.h"
#include "backends/x86/select/choice.h"
#include "backends/x86/select/selector.h"

namespace lathe::x86 {

using mlir::failure;
using mlir::FailureOr;
using mlir::LogicalResult;
using mlir::success;

// How the rows of a value enter a product.
static XParams xParams(mlir::Value x, const Place &place) {
  if (auto type = mlir::dyn_cast<ir::QuantizedType>(x.getType()))
    return {Activations::w8a8, place.stride, type.getBlockColumns(), place.scale_stride,
            place.rows_in};
  bool rounded = mlir::cast<mlir::ShapedType>(x.getType()).getElementType().isBF16();
  return {rounded ? Activations::bf16 : Activations::f32, place.stride, 0, 0, place.rows_in};
}

static FailureOr<int64_t> optionalVector(Selector &s, mlir::Value vector) {
  return vector ? s.weights().vector(vector) : FailureOr<int64_t>(no_operand);
}

static LogicalResult product(Selector &s, mlir::Operation *op, mlir::Value x, mlir::Value weight,
                             mlir::Value bias, mlir::Value result, bool joined) {
  FailureOr<MatrixWeight> packed = s.weights().matrix(weight);
  FailureOr<int64_t> biasOperand = optionalVector(s, bias);
  if (failed(packed) || failed(biasOperand))
    return failure();
  Place input = s.place(x), output = s.place(result);
  RowCount rows = s.rows(result);
  mlir::Value residual = addedWhereMade(result);
  LinearParams params{packed->params,
                      xParams(x, input),
                      rows.source,
                      rows.factor,
                      bias != nullptr,
                      residual != nullptr,
                      output.stride,
                      /*batch=*/1,
                      0,
                      0,
                      tilesPerItem(packed->params)};
  s.add(op, "linear", params,
        {input.operand, input.scales, packed->operand, *biasOperand,
         residual ? s.place(residual).operand : no_operand, output.operand},
        linearItems(params))
      .joined = joined;
  return success();
}

LogicalResult selectOp(Selector &s, ir::LinearOp op) {
  return product(s, op, op.getX(), op.getWeight(), op.getBias(), op.getResult(), false);
}

LogicalResult selectOp(Selector &s, ir::ScaledMatmulOp op) {
  return product(s, op, op.getX(), op.getWeight(), op.getBias(), op.getResult(), false);
}

// One region a weight, all between the same two barriers.
LogicalResult selectOp(Selector &s, ir::FusedLinearOp op) {
  for (auto [index, weight] : llvm::enumerate(op.getWeights())) {
    mlir::Value bias = op.getBiases().empty() ? mlir::Value() : op.getBiases()[index];
    if (failed(product(s, op, op.getX(), weight, bias, op.getResults()[index], index > 0)))
      return failure();
  }
  return success();
}

LogicalResult selectOp(Selector &s, ir::GatedLinearOp op) {
  FailureOr<MatrixWeight> gate = s.weights().matrix(op.getGate()),
                          up = s.weights().matrix(op.getUp());
  FailureOr<int64_t> gateBias = optionalVector(s, op.getGateBias()),
                     upBias = optionalVector(s, op.getUpBias());
  if (failed(gate) || failed(up) || failed(gateBias) || failed(upBias))
    return failure();
  Place input = s.place(op.getX()), output = s.place(storedAs(op.getResult()));
  GatedLinearParams params{gate->params,
                           xParams(op.getX(), input),
                           s.rows(op.getResult()).source,
                           op.getGateBias() != nullptr,
                           output.stride,
                           output.rows_in,
                           tilesPerItem(gate->params)};
  s.add(
      op, "gated_linear", params,
      {input.operand, input.scales, gate->operand, up->operand, *gateBias, *upBias, output.operand},
      gatedLinearItems(params));
  return success();
}

} // namespace lathe::x86
