#include "backends/reference/model_runner.h"

#include <numeric>

namespace lathe::reference {

namespace {

using mlir::failure;
using mlir::FailureOr;

constexpr unsigned kIndexArguments = 4; // tokens, slots, positions, output_rows

bool isStep(mlir::func::FuncOp function) {
  const auto types = function.getArgumentTypes();
  return types.size() >= kIndexArguments &&
         function.getNumResults() == types.size() - kIndexArguments + 1 &&
         llvm::all_of(types.take_front(kIndexArguments), llvm::IsaPred<mlir::RankedTensorType>) &&
         llvm::all_of(types.drop_front(kIndexArguments),
                      llvm::IsaPred<ir::KvCacheType, ir::LatentCacheType>);
}

mlir::func::FuncOp findStep(mlir::ModuleOp module, llvm::StringRef name) {
  auto function = module.lookupSymbol<mlir::func::FuncOp>(name);
  return function && isStep(function) ? function : mlir::func::FuncOp();
}

Value indices(std::vector<int32_t> values) { return share(Indices(std::move(values))); }

std::vector<int32_t> counted(int64_t first, size_t count) {
  std::vector<int32_t> values(count);
  std::iota(values.begin(), values.end(), static_cast<int32_t>(first));
  return values;
}

} // namespace

FailureOr<ModelRunner> ModelRunner::create(mlir::ModuleOp module, WeightSource &weights) {
  const mlir::func::FuncOp step = findStep(module, "step");
  const mlir::func::FuncOp decode = step ? step : findStep(module, "decode");
  const mlir::func::FuncOp few = findStep(module, "few");
  const mlir::func::FuncOp prefill = step ? step : findStep(module, "prefill");
  if (!decode || !prefill)
    return module.emitError(
        "has neither @step nor @decode and @prefill that take (tokens, slots, positions, "
        "output_rows, caches) and give (logits, caches)");
  ModelRunner runner(decode, few, prefill, weights);
  runner.reset();
  return runner;
}

void ModelRunner::reset() {
  caches_.clear();
  for (mlir::Type type : prefill_.getArgumentTypes().drop_front(kIndexArguments))
    caches_.push_back(emptyCache(type));
  position_ = 0;
}

mlir::func::FuncOp ModelRunner::stepFor(size_t rows) {
  auto most = few_ ? few_->getAttrOfType<mlir::IntegerAttr>("lathe.max_rows") : nullptr;
  if (rows == 1)
    return decode_;
  return most && static_cast<int64_t>(rows) <= most.getInt() ? few_ : prefill_;
}

FailureOr<Tensor> ModelRunner::feed(llvm::ArrayRef<int32_t> tokens) {
  const size_t count = tokens.size();
  Values arguments = {indices(tokens.vec()), indices(std::vector<int32_t>(count)),
                      indices(counted(position_, count)), indices(counted(0, count))};
  arguments.append(caches_);
  FailureOr<Values> results = interpreter_->run(stepFor(count), arguments);
  if (mlir::failed(results))
    return failure();
  caches_.assign(results->begin() + 1, results->end());
  position_ += count;
  return *as<Tensor>(results->front());
}

FailureOr<Tensor> ModelRunner::feedInChunks(llvm::ArrayRef<int32_t> tokens, size_t chunk) {
  Tensor all;
  while (!tokens.empty()) {
    const size_t count = chunk == 0 ? tokens.size() : std::min(chunk, tokens.size());
    FailureOr<Tensor> logits = feed(tokens.take_front(count));
    if (mlir::failed(logits))
      return failure();
    all.values.insert(all.values.end(), logits->values.begin(), logits->values.end());
    all.shape = {static_cast<int64_t>(all.values.size()) / logits->columns(), logits->columns()};
    tokens = tokens.drop_front(count);
  }
  return all;
}

int32_t argmax(const Tensor &logits, int64_t row) {
  const float *first = logits.row(row);
  return static_cast<int32_t>(std::max_element(first, first + logits.columns()) - first);
}

} // namespace lathe::reference
