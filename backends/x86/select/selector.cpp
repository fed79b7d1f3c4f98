#include "backends/x86/select/selector.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/TypeSwitch.h"

#include "backends/x86/pack/layout.h"
#include "backends/x86/select/choice.h"
#include "passes/plan/sizes.h"
#include "passes/step.h"

namespace lathe::x86 {

StepProgram emptyProgram(mlir::func::FuncOp function) {
  auto bytes = [&](llvm::StringRef name) -> uint64_t {
    auto attribute = function->getAttrOfType<mlir::IntegerAttr>(name);
    return attribute ? attribute.getInt() : 0;
  };
  StepProgram step;
  step.name = function.getName().str();
  step.max_rows = passes::maxRows(function);
  step.arena_bytes = bytes("lathe.arena_bytes");
  step.state_bytes = bytes("lathe.state_bytes");
  return step;
}

int64_t columnsOf(mlir::Value value) { return ir::shapeOf(value.getType()).back(); }

Selector::Selector(mlir::func::FuncOp function, const Level &level, WeightPlan &weights,
                   Program &program, StepProgram &step)
    : function_(function), level_(level), weights_(weights), program_(program), step_(step) {}

Place Selector::placeOfArgument(mlir::BlockArgument argument) const {
  if (argument.getArgNumber() < 4)
    return {operand(static_cast<Buffer::Kind>(argument.getArgNumber()), 0), 1};
  auto offset =
      function_.getArgAttrOfType<mlir::IntegerAttr>(argument.getArgNumber(), "lathe.state_offset");
  return {operand(Buffer::state, offset.getInt()), 0};
}

Place Selector::place(mlir::Value value) const {
  if (passes::isCache(value.getType()))
    value = passes::cacheArgument(value);
  if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value))
    return placeOfArgument(argument);
  if (auto slice = value.getDefiningOp<ir::SliceOp>())
    return place(slice.getInput()).column(slice.getOffset());
  if (mlir::Value viewed = passes::viewedBy(value.getDefiningOp())) {
    Place maker = place(viewed);
    return isNarrow(value) ? narrowRows(maker.operand, maxRows(), columnsOf(value)) : maker;
  }
  if (isReturnedLogits(value))
    return {operand(Buffer::logits, 0), columnsOf(value)};
  auto result = mlir::cast<mlir::OpResult>(value);
  auto offsets = result.getOwner()->getAttrOfType<mlir::DenseI64ArrayAttr>("arena_offsets");
  int64_t offset = offsets[result.getResultNumber()], columns = columnsOf(value);
  if (isNarrow(value))
    return narrowRows(operand(Buffer::arena, offset), maxRows(), columns);
  Place place{operand(Buffer::arena, offset), columns};
  if (auto type = mlir::dyn_cast<ir::QuantizedType>(value.getType())) {
    place.scales = operand(Buffer::arena, offset + scalesOffset(maxRows(), columns));
    place.scale_stride = ceilDiv(columns, type.getBlockColumns());
    place.rows_in = codesIn(type.getElementType().isInteger());
  }
  return place;
}

RowCount Selector::rows(mlir::Value value) const {
  RowCount count = rowCountOf(value);
  if (count.source == RowSource::rows)
    count.source = rowSource();
  return count;
}

RowSplit Selector::split(mlir::Value value, int64_t columns) const {
  RowCount count = rows(value);
  return {count.source, count.factor, rowsPerItem(columns)};
}

Place Selector::narrowRows(int64_t operand, int64_t max_rows, int64_t columns) const {
  if (level_.has_tiles)
    return {operand, stepStride(max_rows), no_operand, 0, RowsIn::bf16_steps};
  return {operand, columns, no_operand, 0, RowsIn::bf16};
}

int64_t Selector::scratch(mlir::Operation *op) const {
  return operand(Buffer::arena, op->getAttrOfType<mlir::IntegerAttr>("scratch_offset").getInt());
}

std::string weightText(const WeightParams &weight) {
  return absl::StrCat(" ", weight.n, "x", weight.k, " ",
                      formatName(static_cast<Format::Kind>(weight.format)));
}

RegionUse &Selector::addRegion(mlir::Operation *op, KernelUse use, llvm::ArrayRef<int64_t> operands,
                               const Items &items) {
  RegionUse region;
  region.kernel = program_.kernelIndex(std::move(use));
  region.operands.assign(operands.begin(), operands.end());
  region.cut(items);
  region.origin = op->getName().getStringRef().str();
  step_.regions.push_back(std::move(region));
  return step_.regions.back();
}

mlir::LogicalResult Selector::select(mlir::Operation *op) {
  if (passes::viewedBy(op) && !mlir::isa<ir::RopeOp>(op))
    return mlir::success(); // no code
  return llvm::TypeSwitch<mlir::Operation *, mlir::LogicalResult>(op)
      .Case<ir::EmbeddingOp, ir::SelectRowsOp, ir::ConcatOp, ir::AddOp, ir::ScaleOp, ir::SwigluOp,
            ir::CastOp, ir::QuantizeOp, ir::RmsNormOp, ir::RopeTableOp, ir::RopeOp, ir::LinearOp,
            ir::ScaledMatmulOp, ir::FusedLinearOp, ir::GatedLinearOp, ir::AttentionOp,
            ir::MlaAttentionOp, ir::AbsorbQueryOp, ir::ExpandValueOp, ir::FusedExpertsOp>(
          [&](auto known) { return selectOp(*this, known); })
      .Case<ir::WeightOp, mlir::func::ReturnOp>([](auto) { return mlir::success(); }) // no code
      .Default([](mlir::Operation *unknown) {
        return unknown->emitOpError(
            "has no kernel on x86; the fusion and legalisation passes should have "
            "replaced it (run lathe-opt --lathe-optimise)");
      });
}

} // namespace lathe::x86
