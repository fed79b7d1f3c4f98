#include "backends/reference/interpreter.h"

namespace lathe::reference {

namespace {

using mlir::failure;
using mlir::FailureOr;

bool shapeFits(const std::vector<int64_t> &shape, llvm::ArrayRef<int64_t> type) {
  return shape.size() == type.size() &&
         std::equal(shape.begin(), shape.end(), type.begin(), [](int64_t extent, int64_t wanted) {
           return mlir::ShapedType::isDynamic(wanted) || extent == wanted;
         });
}

bool fitsTensor(const Value &value, mlir::RankedTensorType type) {
  if (type.getElementType().isInteger(32)) {
    const Indices *indices = as<Indices>(value);
    return indices && shapeFits(indices->shape, type.getShape());
  }
  const Tensor *tensor = as<Tensor>(value);
  return tensor && shapeFits(tensor->shape, type.getShape());
}

bool fitsCodes(const Codes &codes, ir::QuantizedType type) {
  return shapeFits(codes.shape, type.getShape()) && codes.block_rows == type.getBlockRows() &&
         codes.block_columns == type.getBlockColumns();
}

bool fitsKvCache(const KvCache &cache, ir::KvCacheType type) {
  return cache.kv_heads == type.getKvHeads() && cache.key_dim == type.getKeyDim() &&
         cache.value_dim == type.getValueDim() && cache.max_context == type.getMaxContext() &&
         static_cast<int64_t>(cache.keys.slots.size()) == type.getSlots();
}

bool fitsLatentCache(const LatentCache &cache, ir::LatentCacheType type) {
  return cache.kv_lora_rank == type.getKvLoraRank() && cache.rope_dim == type.getRopeDim() &&
         cache.max_context == type.getMaxContext() &&
         static_cast<int64_t>(cache.latents.slots.size()) == type.getSlots();
}

} // namespace

bool fits(const Value &value, mlir::Type type) {
  if (auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type))
    return fitsTensor(value, tensor);
  if (auto quantized = mlir::dyn_cast<ir::QuantizedType>(type))
    return as<Codes>(value) && fitsCodes(*as<Codes>(value), quantized);
  if (auto cache = mlir::dyn_cast<ir::KvCacheType>(type))
    return as<KvCache>(value) && fitsKvCache(*as<KvCache>(value), cache);
  if (auto cache = mlir::dyn_cast<ir::LatentCacheType>(type))
    return as<LatentCache>(value) && fitsLatentCache(*as<LatentCache>(value), cache);
  return false;
}

Value emptyCache(mlir::Type type) {
  if (auto latent = mlir::dyn_cast<ir::LatentCacheType>(type))
    return share(
        LatentCache{latent.getKvLoraRank(), latent.getRopeDim(), latent.getMaxContext(),
                    SlotRows(latent.getSlots(), latent.getKvLoraRank() + latent.getRopeDim(),
                             latent.getElement().isBF16())});
  auto kv = mlir::cast<ir::KvCacheType>(type);
  const bool bf16 = kv.getElement().isBF16();
  return share(KvCache{kv.getKvHeads(), kv.getKeyDim(), kv.getValueDim(), kv.getMaxContext(),
                       SlotRows(kv.getSlots(), kv.getKvHeads() * kv.getKeyDim(), bf16),
                       SlotRows(kv.getSlots(), kv.getKvHeads() * kv.getValueDim(), bf16)});
}

FailureOr<Values> Interpreter::run(mlir::func::FuncOp function, llvm::ArrayRef<Value> arguments) {
  if (!function.getBody().hasOneBlock() || function.getNumArguments() != arguments.size())
    return function.emitError("runs with one block and ")
           << function.getNumArguments() << " arguments, not with " << arguments.size();
  llvm::DenseMap<mlir::Value, Value> values;
  for (auto [argument, value] : llvm::zip_equal(function.getArguments(), arguments)) {
    if (!fits(value, argument.getType()))
      return function.emitError("argument ")
             << argument.getArgNumber() << " is no " << argument.getType();
    values[argument] = value;
  }
  for (mlir::Operation &op : function.front()) {
    Values operands;
    for (mlir::Value operand : op.getOperands())
      operands.push_back(values[operand]);
    if (mlir::isa<mlir::func::ReturnOp>(op))
      return operands;
    FailureOr<Values> results = evaluateOp(&op, operands);
    if (mlir::failed(results))
      return failure();
    for (auto [result, value] : llvm::zip_equal(op.getResults(), *results))
      values[result] = value;
  }
  return function.emitError("ends without a return");
}

FailureOr<Values> Interpreter::evaluateOp(mlir::Operation *op, llvm::ArrayRef<Value> operands) {
  if (auto weight = mlir::dyn_cast<ir::WeightOp>(op)) {
    auto [place, is_new] = loaded_.try_emplace(op);
    if (is_new) {
      FailureOr<Value> value = weights_.load(weight);
      if (mlir::failed(value))
        return failure();
      place->second = *value;
    }
    return Values{place->second};
  }
  FailureOr<Values> results = evaluate(op, operands);
  if (mlir::failed(results))
    return failure();
  for (auto [result, value] : llvm::zip_equal(op->getResults(), *results))
    if (!fits(value, result.getType()))
      return op->emitOpError("computed a result that is no ") << result.getType();
  return results;
}

} // namespace lathe::reference
