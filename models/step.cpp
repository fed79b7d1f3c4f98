#include "models/step.h"

#include "absl/strings/match.h"

#include "base/status.h"

namespace lathe::models {

namespace {

constexpr int64_t kDynamic = mlir::ShapedType::kDynamic;
constexpr unsigned kIndexArguments = 4; // tokens, slots, positions, output_rows

} // namespace

Step::Step(mlir::ModuleOp module, Weights &weights, int64_t max_context, mlir::Type cache_element)
    : builder_(module.getBodyRegion()), weights_(weights), max_context_(max_context),
      cache_element_(cache_element) {
  const mlir::Type index = mlir::RankedTensorType::get({kDynamic}, builder_.getI32Type());
  const llvm::SmallVector<mlir::Type> inputs(kIndexArguments, index);
  function_ = mlir::func::FuncOp::create(builder_, module.getLoc(), "step",
                                         builder_.getFunctionType(inputs, {}));
  builder_.setInsertionPointToStart(function_.addEntryBlock());
}

Step::Place Step::enter(absl::string_view name) {
  const size_t length = path_.size();
  absl::StrAppend(&path_, path_.empty() ? "" : ".", name);
  return Place(path_, length);
}

std::string Step::nameOf(absl::string_view leaf) const {
  return path_.empty() || leaf.empty() ? absl::StrCat(path_, leaf) : absl::StrCat(path_, ".", leaf);
}

std::string Step::placeInModel() const {
  const absl::string_view root = "model.";
  return absl::StartsWith(path_, root) ? path_.substr(root.size()) : path_;
}

mlir::Location Step::location() {
  return mlir::NameLoc::get(builder_.getStringAttr(placeInModel()));
}

absl::StatusOr<mlir::Value> Step::weight(absl::StatusOr<StoredWeight> stored) {
  LATHE_RETURN_IF_ERROR(stored.status());
  mlir::Value &value = values_[stored->name];
  if (value)
    return value;
  const mlir::ArrayAttr scales =
      stored->scales.empty() ? nullptr : builder_.getArrayAttr(stored->scales);
  mlir::DenseI64ArrayAttr rows;
  if (stored->rows)
    rows = builder_.getDenseI64ArrayAttr({stored->rows->first, stored->rows->second});
  value = create<ir::WeightOp>(stored->type, stored->name, builder_.getArrayAttr(stored->sources),
                               scales, rows, mlir::TypeAttr());
  return value;
}

mlir::RankedTensorType Step::rows(int64_t columns) {
  return mlir::RankedTensorType::get({kDynamic, columns}, builder_.getF32Type());
}

mlir::RankedTensorType Step::indices(int64_t columns) {
  return mlir::RankedTensorType::get({kDynamic, columns}, builder_.getI32Type());
}

mlir::Value Step::takeCache(mlir::Type type, absl::string_view kind) {
  std::string name = placeInModel();
  const size_t module = name.rfind('.'); // of the attention that the layer has
  cache_names_.push_back(absl::StrCat(name.substr(0, module), ".", kind));
  return function_.getBody().addArgument(type, location());
}

void Step::finish(mlir::Value logits) {
  llvm::SmallVector<mlir::Value> results = {logits};
  llvm::append_range(results, updated_);
  mlir::func::ReturnOp::create(builder_, function_.getLoc(), results);
  function_.setType(builder_.getFunctionType(function_.getBody().getArgumentTypes(),
                                             mlir::ValueRange(results).getTypes()));
  for (const auto &[index, name] : llvm::enumerate(cache_names_))
    function_.setArgAttr(kIndexArguments + index, "lathe.name", builder_.getStringAttr(name));
}

} // namespace lathe::models
