#include "backends/x86/weight_plan.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace lathe::x86 {

using mlir::failure;
using mlir::FailureOr;

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
  auto found = weightSources(op, lookup_);
  if (failed(found))
    return failure();
  MatrixView view = heads ? *heads : wholeMatrix(found->front());
  if (!heads && op.getRows() && !op.getStored()) {
    view.offset = (*op.getRows())[0];
    view.rows = (*op.getRows())[1] - view.offset;
  }
  auto layout = chooseTileLayout(*found, view);
  if (!layout.ok())
    return op.emitOpError() << std::string(layout.status().message());
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
  auto found = weightSources(op, lookup_);
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
    return op.emitOpError() << std::string(codes.status().message());
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
