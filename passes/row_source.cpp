#include "passes/row_source.h"

#include "mlir/IR/Builders.h"

#include "passes/rows.h"
#include "passes/step.h"

namespace lathe::passes {

namespace {

constexpr llvm::StringLiteral kRowFactor = "lathe.row_factor",
                              kOutputRowFactor = "lathe.output_row_factor";

// Counts of rows and of output rows in one number, so that rowsOfResult can multiply them.
constexpr int64_t kOutputRow = int64_t{1} << 32;

int64_t countOf(mlir::Value value) {
  auto argument = mlir::dyn_cast<mlir::BlockArgument>(value);
  if (!argument)
    return rowsOfResult(mlir::cast<mlir::OpResult>(value), countOf);
  auto function = mlir::cast<mlir::func::FuncOp>(argument.getOwner()->getParentOp());
  const unsigned index = argument.getArgNumber();
  if (auto noted = function.getArgAttrOfType<mlir::IntegerAttr>(index, kOutputRowFactor))
    return noted.getInt() * kOutputRow;
  if (auto noted = function.getArgAttrOfType<mlir::IntegerAttr>(index, kRowFactor))
    return noted.getInt();
  return index == kOutputRowsArgument ? kOutputRow : 1;
}

} // namespace

RowSource rowSourceOf(mlir::Value value) {
  const int64_t count = countOf(value);
  return count >= kOutputRow ? RowSource{true, count / kOutputRow} : RowSource{false, count};
}

void noteRowSource(mlir::func::FuncOp function, unsigned argument, RowSource source) {
  function.setArgAttr(argument, source.is_output_rows ? kOutputRowFactor : kRowFactor,
                      mlir::Builder(function).getI64IntegerAttr(source.factor));
}

} // namespace lathe::passes
