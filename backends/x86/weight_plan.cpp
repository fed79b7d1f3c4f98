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

absl::StatusOr<std::vector<PackPart>> WeightPlan::partsOf(const Recipe &recipe) {
  const SourceMatrix &first = recipe.sources.front();
  if (recipe.kind == Kind::tiles)
    return tileParts(recipe.sources, recipe.view, recipe.layout);
  if (recipe.kind == Kind::rows)
    return tableParts(first);
  LATHE_ASSIGN_OR_RETURN(PackPart vector, vectorPart(first.name, first.format, first.codes));
  return std::vector<PackPart>{std::move(vector)};
}

// Zeros up to what comes next.
PackPart WeightPlan::paddingBehind(size_t copy) const {
  uint64_t next = copy + 1 < copies_.size() ? copies_[copy + 1].offset : bytes_;
  uint64_t count = next - copies_[copy].offset - copies_[copy].size;
  return [count](const PackSink &sink) {
    static const uint8_t zeros[64] = {};
    return sink(absl::MakeSpan(zeros, count));
  };
}

absl::Status WeightPlan::pack(const PackSink &sink, const Packed &packed, size_t threads) const {
  std::vector<PackPart> parts;
  std::vector<size_t> ends; // of copies, in parts
  for (size_t copy = 0; copy < copies_.size(); ++copy) {
    LATHE_ASSIGN_OR_RETURN(std::vector<PackPart> of_copy, partsOf(recipes_[copy]));
    std::move(of_copy.begin(), of_copy.end(), std::back_inserter(parts));
    parts.push_back(paddingBehind(copy));
    ends.push_back(parts.size());
  }
  size_t copy = 0; // the next to be whole
  auto done = [&](size_t part) {
    if (part + 1 < ends[copy])
      return absl::OkStatus();
    std::vector<std::string> names;
    for (const SourceMatrix &source : recipes_[copy].sources)
      names.push_back(source.name);
    return packed(copies_[copy++], names) ? absl::OkStatus() : absl::CancelledError("interrupted");
  };
  return packInOrder(parts, threads, sink, done);
}

} // namespace lathe::x86
