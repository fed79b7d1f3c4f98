// Labels: (Cn) of an op's description in basic_ops.td.
#include "ir/lathe/verify.h"

namespace lathe::ir {

using llvm::LogicalResult;
using mlir::failure;
using mlir::success;

namespace {

// Nothing that a checkpoint stores has an unknown extent.
bool isStored(mlir::Type type) {
  if (auto quantized = llvm::dyn_cast<QuantizedType>(type))
    return !mlir::ShapedType::isDynamicShape(quantized.getShape());
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && tensor.getRank() >= 1 && tensor.getRank() <= 3 &&
         llvm::isa<mlir::Float32Type, mlir::BFloat16Type, mlir::Float16Type>(
             tensor.getElementType());
}

// What an element of the checkpoint can be converted to.
bool isConverted(mlir::Type type) {
  auto codes = llvm::dyn_cast<QuantizedType>(type);
  if (!codes)
    return llvm::cast<mlir::RankedTensorType>(type).getElementType().isBF16();
  if (llvm::isa<mlir::Float8E4M3FNType>(codes.getElementType()))
    return codes.getScaleType().isF32();
  return codes.getElementType().isInteger() && codes.getBlockRows() == 1 &&
         codes.getScaleType().isF16();
}

LogicalResult verifyStored(WeightOp op) {
  const mlir::Type stored = *op.getStored();
  // weight_c5
  if (!isStored(stored))
    return op.emitOpError("is stored as a ")
           << stored
           << "; it should be f32, bf16, f16 or quantised, of rank 1 to 3, with constant extents";
  // weight_c6
  if (shapeOf(stored) != shapeOf(op.getType()) || shapeOf(stored).size() < 2)
    return op.emitOpError("is stored as ")
           << shapeText(shapeOf(stored)) << " and the result is "
           << shapeText(shapeOf(op.getType())) << "; they should have one shape, of rank 2 or 3";
  auto codes = llvm::dyn_cast<QuantizedType>(stored);
  if (codes && codes.getElementType().isInteger())
    return op.emitOpError("is stored as a ")
           << stored << "; what is converted has no integer codes";
  if (!isConverted(op.getType()))
    return op.emitOpError("result is a ")
           << op.getType()
           << "; what is converted should be bf16, or have e4m3 codes and f32 scales, "
           << "or i8 or i4 codes, blocks of 1 row and f16 scales";
  return success();
}

LogicalResult verifyWeightRows(WeightOp op) {
  const llvm::ArrayRef<int64_t> rows = *op.getRows(), shape = shapeOf(op.getType());
  if (rows.size() != 2 || rows[0] < 0 || rows[1] <= rows[0])
    return op.emitOpError("rows are ")
           << shapeText(rows) << "; they should be [begin, end] with 0 <= begin < end";
  if (shape.size() < 2)
    return op.emitOpError("rows are cut from a result of rank ")
           << shape.size() << "; it should have rank 2 or 3";
  if (shape[shape.size() - 2] != rows[1] - rows[0])
    return wrongCount(op, "result", shape[shape.size() - 2], "rows", rows[1] - rows[0],
                      "`rows` says");
  return success();
}

} // namespace

LogicalResult WeightOp::verify() {
  // weight_c5
  if (!isStored(getType()))
    return emitOpError("result is a ")
           << getType()
           << "; it should be f32, bf16, f16 or quantised, of rank 1 to 3, with constant extents";
  // weight_c4
  if (getName().empty())
    return emitOpError("name is empty; it should say which weight this is");
  // weight_c1
  const int64_t sources = getSources().size(),
                experts = shapeOf(getType()).size() == 3 ? shapeOf(getType())[0] : 1;
  if (sources != 1 && sources != experts)
    return emitOpError("has ") << sources << " sources; it should have 1 or, as the result says, "
                               << experts;
  // weight_c2
  const int64_t scales = getScales() ? getScales()->size() : 0;
  const int64_t wanted = llvm::isa<QuantizedType>(getTypeInCheckpoint()) ? sources : 0;
  if (scales != wanted)
    return emitOpError("has ") << scales << " scales; it should have " << wanted << " with "
                               << sources << " sources of " << getTypeInCheckpoint();
  // weight_c3
  if (getRows() && failed(verifyWeightRows(*this)))
    return failure();
  return getStored() ? verifyStored(*this) : success();
}

LogicalResult EmbeddingOp::verify() {
  // embedding_c1
  if (!agree(rowsOf(getResult()), rowsOf(getTokens())))
    return wrongCount(*this, "result", rowsOf(getResult()), "rows", rowsOf(getTokens()),
                      "there are tokens");
  if (columnsOf(getResult()) != columnsOf(getTable()))
    return wrongCount(*this, "result", columnsOf(getResult()), "columns", columnsOf(getTable()),
                      "`table` has");
  return success();
}

LogicalResult SelectRowsOp::verify() {
  // select_rows_c1
  if (!agree(rowsOf(getResult()), rowsOf(getRows())))
    return wrongCount(*this, "result", rowsOf(getResult()), "rows", rowsOf(getRows()),
                      "`rows` has entries");
  if (columnsOf(getResult()) != columnsOf(getInput()))
    return wrongCount(*this, "result", columnsOf(getResult()), "columns", columnsOf(getInput()),
                      "`input` has");
  return success();
}

LogicalResult SliceOp::verify() {
  // slice_c1
  const int64_t offset = getOffset(), columns = columnsOf(getInput());
  if (offset < 0 || offset > columns || columnsOf(getResult()) > columns - offset)
    return emitOpError("takes columns ")
           << offset << " to " << offset << " + " << columnsOf(getResult())
           << "; `input` has columns 0 to " << columns;
  // slice_c2
  return verifySameRows(*this, {getInput(), getResult()});
}

LogicalResult ConcatOp::verify() {
  // concat_c1
  if (getInputs().empty())
    return emitOpError("has 0 inputs; it should have at least 1");
  llvm::SmallVector<mlir::Value> all = llvm::to_vector(getInputs());
  all.push_back(getResult());
  if (failed(verifySameRows(*this, all)))
    return failure();
  // concat_c2
  int64_t columns = 0;
  for (mlir::Value input : getInputs())
    columns += columnsOf(input);
  if (columns != columnsOf(getResult()))
    return wrongCount(*this, "result", columnsOf(getResult()), "columns", columns,
                      "the inputs have together");
  return success();
}

// add_c1: the trait SameOperandsAndResultType
LogicalResult AddOp::verify() { return success(); }

LogicalResult ScaleOp::verify() {
  // scale_c1
  if (!getFactor().isFinite())
    return emitOpError("factor is ") << getFactor().convertToDouble() << "; it should be finite";
  return success();
}

// swiglu_c1: the trait SameOperandsAndResultType
LogicalResult SwigluOp::verify() { return success(); }

LogicalResult RmsNormOp::verify() {
  // rms_norm_c1
  const int64_t group = rowsOf(getScale());
  if (group < 1 || columnsOf(getInput()) % group != 0)
    return emitOpError("input has ")
           << extentText(columnsOf(getInput())) << " columns; it should have a multiple of the "
           << extentText(group) << " elements of `scale`";
  // rms_norm_c2
  if (!getEpsilon().isFinite() || getEpsilon().convertToDouble() <= 0)
    return emitOpError("epsilon is ")
           << getEpsilon().convertToDouble() << "; it should be finite and greater than 0";
  return success();
}

LogicalResult RopeTableOp::verify() {
  // rope_table_c2
  if (getFrequencies().empty())
    return emitOpError("has 0 frequencies; it should have at least 1");
  for (float frequency : getFrequencies())
    if (!std::isfinite(frequency))
      return emitOpError("a frequency is ") << frequency << "; it should be finite";
  if (!getMagnitude().isFinite())
    return emitOpError("magnitude is ")
           << getMagnitude().convertToDouble() << "; it should be finite";
  // rope_table_c1
  const int64_t columns = 2 * static_cast<int64_t>(getFrequencies().size());
  if (columnsOf(getResult()) != columns)
    return wrongCount(*this, "result", columnsOf(getResult()), "columns", columns,
                      "two go with each frequency");
  return verifySameRows(*this, {getPositions(), getResult()});
}

LogicalResult RopeOp::verify() {
  // rope_c1
  const int64_t head_dim = getHeadDim(), rotated = columnsOf(getTable());
  if (head_dim < 1 || columnsOf(getInput()) % head_dim != 0)
    return emitOpError("input has ")
           << columnsOf(getInput()) << " columns; it should have a multiple of head_dim, which is "
           << head_dim;
  // rope_c2
  const int64_t offset = getOffset();
  if (offset < 0 || offset > head_dim || rotated > head_dim - offset)
    return emitOpError("rotates columns ")
           << offset << " to " << offset << " + " << rotated << " of a head; it has " << head_dim;
  // rope_c4
  if (rotated % 2 != 0)
    return emitOpError("table has ") << rotated << " columns; it should have an even number";
  // rope_c3
  return verifySameRows(*this, {getInput(), getTable()});
}

} // namespace lathe::ir
