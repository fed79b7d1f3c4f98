#include "backends/x86/weight_plan.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace lathe::x86 {

using mlir::failure;
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

static ir::WeightOp weightBehind(mlir::Value value) { return value.getDefiningOp<ir::WeightOp>(); }

// Content and type; the name only where the content was not hashed.
static std::string contentKey(ir::WeightOp op) {
  std::string key;
  llvm::raw_string_ostream stream(key);
  stream << op.getType() << '|' << op.getTypeInCheckpoint();
  auto append = [&](std::optional<mlir::ArrayAttr> references) {
    for (auto reference : references.value_or(mlir::ArrayAttr::get(op.getContext(), {}))
                              .getAsRange<ir::TensorRefAttr>())
      stream << '|' << (reference.getHash().empty() ? reference.getName() : reference.getHash());
  };
  append(op.getSources());
  append(op.getScales());
  if (op.getRows())
    stream << "|rows " << (*op.getRows())[0] << ' ' << (*op.getRows())[1];
  return key;
}

// With the weight's target. Blocks then begin at the first row that the weight has.
static absl::StatusOr<SourceMatrix> toConvert(ir::WeightOp op, SourceMatrix matrix) {
  matrix.target = targetOf(op);
  if (!matrix.target || !op.getRows())
    return matrix;
  return cutRows(matrix, (*op.getRows())[0], (*op.getRows())[1]);
}

// Cuts what `sources` name into matrices [rows of the file, columns]: one for each expert of a
// stack.
FailureOr<std::vector<SourceMatrix>> WeightPlan::sources(ir::WeightOp op) {
  llvm::ArrayRef<int64_t> shape = ir::shapeOf(op.getType());
  int64_t columns = shape.back(), count = shape.size() == 3 ? shape[0] : 1;
  int64_t perSource = count / static_cast<int64_t>(op.getSources().size());
  mlir::Type stored = op.getTypeInCheckpoint();
  auto quantized = mlir::dyn_cast<ir::QuantizedType>(stored);
  std::vector<SourceMatrix> result;
  for (auto [index, reference] : llvm::enumerate(op.getSources().getAsRange<ir::TensorRefAttr>())) {
    auto codes = lookup_(reference.getName());
    if (!codes.ok())
      return op.emitOpError() << codes.status().message();
    absl::Span<const uint8_t> scales;
    if (quantized) {
      auto found = lookup_(mlir::cast<ir::TensorRefAttr>((*op.getScales())[index]).getName());
      if (!found.ok())
        return op.emitOpError() << found.status().message();
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
        return op.emitOpError() << converted.status().message();
      result.push_back(*std::move(converted));
    }
  }
  return result;
}

int64_t WeightPlan::addCopy(ir::WeightOp op, const std::string &key, PackedCopy copy,
                            Recipe recipe) {
  auto [found, isNew] = index_.try_emplace(key, copies_.size());
  if (isNew) {
    copy.name = op.getName().str();
    if (!names_.insert(copy.name).second)
      names_.insert(copy.name = absl::StrCat(copy.name, "#", copies_.size()));
    copy.offset = bytes_;
    bytes_ = (bytes_ + copy.size + 63) / 64 * 64;
    copies_.push_back(std::move(copy));
    recipes_.push_back(std::move(recipe));
  }
  return operand(Buffer::weights, copies_[found->second].offset);
}

FailureOr<MatrixWeight> WeightPlan::tiles(mlir::Value weight, const MatrixView *heads) {
  ir::WeightOp op = weightBehind(weight);
  auto found = sources(op);
  if (failed(found))
    return failure();
  MatrixView view = heads ? *heads : wholeMatrix(found->front());
  if (!heads && op.getRows() && !op.getStored()) {
    view.offset = (*op.getRows())[0];
    view.rows = (*op.getRows())[1] - view.offset;
  }
  auto layout = chooseTileLayout(*found, view);
  if (!layout.ok())
    return op.emitOpError() << layout.status().message();
  std::string key = absl::StrCat(contentKey(op), "|tiles ", view.batch, " ", view.offset, " ",
                                 view.period, " ", view.rows, view.transposed ? "T" : "");
  PackedCopy copy{"", layout->name(), 0, static_cast<uint64_t>(layout->bytes())};
  MatrixWeight result{0, layout->params()};
  result.operand =
      addCopy(op, key, std::move(copy), {Kind::tiles, std::move(*found), view, *layout});
  return result;
}

FailureOr<MatrixWeight> WeightPlan::matrix(mlir::Value weight) { return tiles(weight, nullptr); }

FailureOr<MatrixWeight> WeightPlan::heads(mlir::Value weight, const HeadView &heads) {
  MatrixView view{heads.heads, heads.offset, heads.period, heads.rows, heads.is_transposed};
  return tiles(weight, &view);
}

// A head that shares the table reads it in tiles; then the table is not stored a second time.
static bool servesAProduct(ir::WeightOp table) {
  auto function = table->getParentOfType<mlir::func::FuncOp>();
  bool found = false;
  function.walk([&](ir::LinearOp linear) {
    auto weight = weightBehind(linear.getWeight());
    found |= weight && weight.getSources() == table.getSources();
  });
  return found;
}

static bool isRowsOfFloats(ir::WeightOp table) {
  return !table.getStored() && !mlir::isa<ir::QuantizedType>(table.getType());
}

FailureOr<TableWeight> WeightPlan::table(mlir::Value weight) {
  ir::WeightOp op = weightBehind(weight);
  if (servesAProduct(op) || !isRowsOfFloats(op)) {
    auto tiled = matrix(weight);
    if (failed(tiled))
      return failure();
    return TableWeight{tiled->operand, tiled->params, true};
  }
  auto found = sources(op);
  if (failed(found))
    return failure();
  const SourceMatrix &source = found->front();
  PackedCopy copy{"", absl::StrCat("rows_", formatName(source.format)), 0, source.codes.size()};
  TableWeight result{0, weightParams(source.rows, source.columns, source.format), false};
  result.operand = addCopy(op, contentKey(op) + "|rows", std::move(copy),
                           {Kind::rows, std::move(*found), {}, {}});
  return result;
}

FailureOr<int64_t> WeightPlan::vector(mlir::Value weight) {
  ir::WeightOp op = weightBehind(weight);
  auto codes = lookup_(mlir::cast<ir::TensorRefAttr>(op.getSources()[0]).getName());
  if (!codes.ok())
    return op.emitOpError() << codes.status().message();
  SourceMatrix source;
  source.name = mlir::cast<ir::TensorRefAttr>(op.getSources()[0]).getName().str();
  source.format = formatOf(ir::elementTypeOf(op.getType()));
  source.rows = 1;
  source.columns = ir::shapeOf(op.getType())[0];
  source.codes = *codes;
  PackedCopy copy{"", "vector_f32", 0, static_cast<uint64_t>(source.columns * 4)};
  return addCopy(op, contentKey(op) + "|vector", std::move(copy), {Kind::vector, {source}, {}, {}});
}

absl::Status WeightPlan::pack(const PackSink &sink, const Packed &packed) const {
  uint64_t position = 0;
  auto write = [&](absl::Span<const uint8_t> bytes) {
    position += bytes.size();
    return sink(bytes);
  };
  static const uint8_t zeros[64] = {};
  for (size_t i = 0; i < copies_.size(); ++i) {
    LATHE_RETURN_IF_ERROR(write(absl::MakeSpan(zeros, copies_[i].offset - position)));
    const Recipe &recipe = recipes_[i];
    const SourceMatrix &first = recipe.sources.front();
    if (recipe.kind == Kind::tiles)
      LATHE_RETURN_IF_ERROR(packTiles(recipe.sources, recipe.view, recipe.layout, write));
    else if (recipe.kind == Kind::rows)
      LATHE_RETURN_IF_ERROR(packTable(first, write));
    else
      LATHE_RETURN_IF_ERROR(packVector(first.name, first.format, first.codes, write));
    std::vector<std::string> names;
    for (const SourceMatrix &source : recipe.sources)
      names.push_back(source.name);
    if (!packed(copies_[i], names))
      return absl::CancelledError("interrupted");
  }
  return write(absl::MakeSpan(zeros, bytes_ - position));
}

} // namespace lathe::x86
