// Selection of the ops that look at one row at a time.
#include "backends/x86/kernels/rows.h"
#include "backends/x86/select/selector.h"

namespace lathe::x86 {

using mlir::LogicalResult;
using mlir::success;

LogicalResult selectOp(Selector &s, ir::EmbeddingOp op) {
  mlir::FailureOr<TableWeight> table = s.weights().table(op.getTable());
  if (mlir::failed(table))
    return mlir::failure();
  int64_t columns = columnsOf(op.getResult());
  EmbeddingParams params{s.split(op.getResult(), columns), table->params, table->tiled,
                         s.place(op.getResult()).stride};
  s.add(op, "embedding", params, {table->operand, s.place(op.getResult()).operand},
        embeddingItems(params))
      .weight_share = 1.0 / ir::shapeOf(op.getTable().getType())[0];
  return success();
}

LogicalResult selectOp(Selector &s, ir::SelectRowsOp op) {
  Place input = s.place(op.getInput()), result = s.place(op.getResult());
  int64_t columns = columnsOf(op.getResult());
  SelectRowsParams params{s.split(op.getResult(), columns), columns, input.stride, result.stride};
  s.add(op, "select_rows", params, {input.operand, result.operand}, selectRowsItems(params));
  return success();
}

LogicalResult selectOp(Selector &s, ir::ConcatOp op) {
  Place result = s.place(op.getResult());
  bool first = true;
  for (mlir::Value part : op.getInputs()) {
    Place input = s.place(part);
    int64_t columns = columnsOf(part);
    CopyColumnsParams params{
        s.split(op.getResult(), columns), columns, 1, input.stride, 0, result.stride, 0};
    s.add(op, "copy_columns", params, {input.operand, result.operand}, copyColumnsItems(params))
        .joined = !first;
    result = result.column(columns);
    first = false;
  }
  return success();
}

LogicalResult selectOp(Selector &s, ir::AddOp op) {
  Place lhs = s.place(op.getLhs()), rhs = s.place(op.getRhs()), result = s.place(op.getResult());
  int64_t columns = columnsOf(op.getResult());
  AddParams params{s.split(op.getResult(), columns), columns, lhs.stride, rhs.stride,
                   result.stride};
  s.add(op, "add", params, {lhs.operand, rhs.operand, result.operand}, addItems(params));
  return success();
}

LogicalResult selectOp(Selector &s, ir::ScaleOp op) {
  Place input = s.place(op.getInput()), result = s.place(op.getResult());
  int64_t columns = columnsOf(op.getResult());
  ScaleParams params{s.split(op.getResult(), columns), columns,
                     floatBits(op.getFactor().convertToFloat()), input.stride, result.stride};
  s.add(op, "scale", params, {input.operand, result.operand}, scaleItems(params));
  return success();
}

LogicalResult selectOp(Selector &s, ir::SwigluOp op) {
  Place gate = s.place(op.getGate()), up = s.place(op.getUp()), result = s.place(op.getResult());
  int64_t columns = columnsOf(op.getResult());
  SwigluParams params{s.split(op.getResult(), columns), columns, gate.stride, up.stride,
                      result.stride};
  s.add(op, "swiglu", params, {gate.operand, up.operand, result.operand}, swigluItems(params));
  return success();
}

LogicalResult selectOp(Selector &s, ir::CastOp op) {
  mlir::Type element = op.getResult().getType().getElementType();
  Place input = s.place(op.getInput()), result = s.place(op.getResult());
  int64_t columns = columnsOf(op.getResult());
  CastParams params{s.split(op.getResult(), columns),
                    columns,
                    formatOf(element),
                    input.stride,
                    result.stride,
                    result.rows_in};
  s.add(op, "cast", params, {input.operand, result.operand}, castItems(params));
  return success();
}

LogicalResult selectOp(Selector &s, ir::QuantizeOp op) {
  auto type = op.getResult().getType();
  Place input = s.place(op.getInput()), result = s.place(op.getResult());
  int64_t columns = columnsOf(op.getResult());
  QuantizeParams params{s.split(op.getResult(), columns),
                        columns,
                        formatOf(type.getElementType()),
                        result.rows_in,
                        type.getBlockColumns(),
                        mlir::isa<mlir::Float8E8M0FNUType>(type.getScaleType()),
                        input.stride,
                        result.stride,
                        result.scale_stride};
  s.add(op, "quantize", params, {input.operand, result.operand, result.scales},
        quantizeItems(params));
  return success();
}

LogicalResult selectOp(Selector &s, ir::RmsNormOp op) {
  mlir::FailureOr<int64_t> scale = s.weights().vector(op.getScale());
  if (mlir::failed(scale))
    return mlir::failure();
  Place input = s.place(op.getInput()), result = s.place(storedAs(op.getResult()));
  int64_t columns = columnsOf(op.getResult()), group = op.getScale().getType().getDimSize(0);
  RmsNormParams params{s.split(op.getResult(), columns),
                       columns / group,
                       group,
                       floatBits(op.getEpsilon().convertToFloat()),
                       input.stride,
                       result.stride,
                       result.rows_in};
  s.add(op, "rms_norm", params, {input.operand, *scale, result.operand}, rmsNormItems(params));
  return success();
}

LogicalResult selectOp(Selector &s, ir::RopeTableOp op) {
  llvm::ArrayRef<float> frequencies = op.getFrequencies();
  std::vector<uint8_t> &constants = s.program().constants;
  int64_t offset = roundUp(constants.size(), 64);
  constants.resize(offset + frequencies.size() * sizeof(float));
  std::memcpy(constants.data() + offset, frequencies.data(), frequencies.size() * sizeof(float));
  int64_t half = frequencies.size();
  RopeTableParams params{s.split(op.getResult(), 16 * half), half,
                         floatBits(op.getMagnitude().convertToFloat())};
  s.add(op, "rope_table", params,
        {operand(Buffer::constants, offset), s.place(op.getResult()).operand},
        ropeTableItems(params));
  return success();
}

LogicalResult selectOp(Selector &s, ir::RopeOp op) {
  Place input = s.place(op.getInput()), table = s.place(op.getTable()),
        result = s.place(op.getResult());
  int64_t columns = columnsOf(op.getResult()), head_dim = op.getHeadDim();
  RopeParams params{s.split(op.getResult(), columns),
                    columns / head_dim,
                    head_dim,
                    static_cast<int64_t>(op.getOffset()),
                    columnsOf(op.getTable()) / 2,
                    op.getLayout() == ir::RopeLayout::pairs,
                    input.stride,
                    result.stride};
  s.add(op, "rope", params, {input.operand, table.operand, result.operand}, ropeItems(params));
  return success();
}

} // namespace lathe::x86
