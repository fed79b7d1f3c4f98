#include "backends/x86/weight_sources.h"

#include "base/status.h"

namespace lathe::x86 {

using mlir::FailureOr;

Format::Kind formatOf(mlir::Type element) {
  if (element.isBF16())
    return Format::bf16;
  if (element.isF16())
    return Format::f16;
  if (mlir::isa<mlir::Float8E4M3FNType>(element))
    return Format::e4m3;
  if (mlir::isa<mlir::Float8E5M2Type>(element))
    return Format::e5m2;
  if (element.isInteger())
    return element.isInteger(8) ? Format::i8 : Format::i4;
  return Format::f32;
}

static ScaleType scaleTypeOf(mlir::Type type) {
  if (type.isBF16())
    return ScaleType::bf16;
  if (type.isF16())
    return ScaleType::f16;
  return type.isF32() ? ScaleType::f32 : ScaleType::e8m0;
}

// What is made of a weight while it is packed; nothing where it stays what it is.
static std::optional<Target> targetOf(ir::WeightOp op) {
  if (!op.getStored())
    return std::nullopt;
  auto codes = mlir::dyn_cast<ir::QuantizedType>(op.getType());
  if (!codes)
    return Target{};
  return Target{formatOf(codes.getElementType()), codes.getBlockRows(), codes.getBlockColumns()};
}

// With the weight's target. Blocks then begin at the first row that the weight has.
static absl::StatusOr<SourceMatrix> toConvert(ir::WeightOp op, SourceMatrix matrix) {
  matrix.target = targetOf(op);
  if (!matrix.target || !op.getRows())
    return matrix;
  return cutRows(matrix, (*op.getRows())[0], (*op.getRows())[1]);
}

FailureOr<std::vector<SourceMatrix>> weightSources(ir::WeightOp op, const TensorLookup &lookup) {
  llvm::ArrayRef<int64_t> shape = ir::shapeOf(op.getType());
  int64_t columns = shape.back(), count = shape.size() == 3 ? shape[0] : 1;
  int64_t perSource = count / static_cast<int64_t>(op.getSources().size());
  mlir::Type stored = op.getTypeInCheckpoint();
  auto quantized = mlir::dyn_cast<ir::QuantizedType>(stored);
  std::vector<SourceMatrix> result;
  for (auto [index, reference] : llvm::enumerate(op.getSources().getAsRange<ir::TensorRefAttr>())) {
    auto codes = lookup(reference.getName());
    if (!codes.ok())
      return op.emitOpError() << std::string(codes.status().message());
    absl::Span<const uint8_t> scales;
    if (quantized) {
      auto found = lookup(mlir::cast<ir::TensorRefAttr>((*op.getScales())[index]).getName());
      if (!found.ok())
        return op.emitOpError() << std::string(found.status().message());
      scales = *found;
    }
    size_t codeBytes = codes->size() / perSource, scaleBytes = scales.size() / perSource;
    for (int64_t part = 0; part < perSource; ++part) {
      SourceMatrix matrix;
      matrix.name = reference.getName().str();
      matrix.format = formatOf(ir::elementTypeOf(stored));
      matrix.columns = columns;
      matrix.rows = codeBytes / (columns * formatBytes(matrix.format));
      matrix.codes = codes->subspan(part * codeBytes, codeBytes);
      if (quantized) {
        matrix.has_scales = true;
        matrix.scale_type = scaleTypeOf(quantized.getScaleType());
        matrix.block_rows = quantized.getBlockRows();
        matrix.block_columns = quantized.getBlockColumns();
        matrix.scales = scales.subspan(part * scaleBytes, scaleBytes);
      }
      auto converted = toConvert(op, std::move(matrix));
      if (!converted.ok())
        return op.emitOpError() << std::string(converted.status().message());
      result.push_back(*std::move(converted));
    }
  }
  return result;
}

} // namespace lathe::x86
