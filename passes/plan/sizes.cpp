#include "passes/plan/sizes.h"

#include "llvm/Support/CheckedArithmetic.h"

#include "passes/rows.h"

namespace lathe::passes {

namespace {

using mlir::failure;
using mlir::FailureOr;
using mlir::Operation;
using mlir::func::FuncOp;

constexpr int64_t kElementBytes = 4;            // of a result: f32 or i32
constexpr int64_t kMaxBytes = int64_t{1} << 48; // of one buffer; more is a mistake
constexpr int64_t kMaxRows = int64_t{1} << 24;

// The product, or nothing if it is out of all proportion.
std::optional<int64_t> multiply(llvm::ArrayRef<int64_t> factors) {
  int64_t product = 1;
  for (int64_t factor : factors) {
    const std::optional<int64_t> next = llvm::checkedMul(product, factor);
    if (!next || *next > kMaxBytes)
      return std::nullopt;
    product = *next;
  }
  return product;
}

FailureOr<int64_t> checkedMaxRows(FuncOp function) {
  auto rows = function->getAttrOfType<mlir::IntegerAttr>("lathe.max_rows");
  if (!rows)
    return 1; // asked for only where an extent is dynamic; see missingMaxRows
  if (rows.getInt() < 1 || rows.getInt() > kMaxRows)
    return function.emitError("lathe.max_rows is ")
           << rows.getInt() << "; it should be from 1 to " << kMaxRows;
  return rows.getInt();
}

bool isDynamic(mlir::Value value) {
  return hasRows(value.getType()) &&
         mlir::ShapedType::isDynamic(ir::shapeOf(value.getType()).front());
}

bool missesMaxRows(FuncOp function) {
  return !function->hasAttr("lathe.max_rows") &&
         (llvm::any_of(function.getArguments(), isDynamic) ||
          llvm::any_of(function.getOps(),
                       [](Operation &op) { return llvm::any_of(op.getResults(), isDynamic); }));
}

bool isReturned(mlir::Value value) {
  return llvm::any_of(value.getUsers(), llvm::IsaPred<mlir::func::ReturnOp>);
}

bool needsMemory(mlir::OpResult result) {
  return hasRows(result.getType()) && !mlir::isa<ir::WeightOp>(result.getOwner()) &&
         !viewedBy(result.getOwner()) && !isReturned(result);
}

bool isSize(int64_t bytes) { return bytes >= 0 && bytes <= kMaxBytes; }
bool isSizeOrDefault(int64_t bytes) { return bytes == -1 || isSize(bytes); }

std::optional<int64_t> cacheTypeBytes(mlir::Type type) {
  if (auto latent = mlir::dyn_cast<ir::LatentCacheType>(type))
    return multiply({latent.getSlots(), latent.getMaxContext(),
                     latent.getKvLoraRank() + latent.getRopeDim(),
                     latent.getElement().getIntOrFloatBitWidth() / 8});
  auto kv = mlir::cast<ir::KvCacheType>(type);
  return multiply({kv.getSlots(), kv.getMaxContext(), kv.getKvHeads(),
                   kv.getKeyDim() + kv.getValueDim(), kv.getElement().getIntOrFloatBitWidth() / 8});
}

} // namespace

mlir::Value viewedBy(Operation *op) {
  if (auto slice = mlir::dyn_cast<ir::SliceOp>(op))
    return slice.getInput();
  auto view = op->getAttrOfType<mlir::IntegerAttr>("view_of");
  return view ? op->getOperand(view.getInt()) : mlir::Value();
}

FailureOr<Sizes> Sizes::of(FuncOp function) {
  Sizes sizes;
  if (!function.getBody().hasOneBlock())
    return function.emitError("has ")
           << function.getBody().getBlocks().size() << " blocks; a step that is planned has one";
  const FailureOr<int64_t> max_rows = checkedMaxRows(function);
  if (mlir::failed(max_rows))
    return failure();
  if (missesMaxRows(function))
    return function.emitError(
        "has an open number of rows and no lathe.max_rows; lathe-specialise-steps sets it");
  for (mlir::BlockArgument argument : function.getArguments())
    if (hasRows(argument.getType()))
      sizes.rows_[argument] =
          isDynamic(argument) ? *max_rows : ir::shapeOf(argument.getType()).front();
  for (Operation &op : function.getBody().front())
    if (mlir::failed(sizes.measure(op, *max_rows)))
      return failure();
  return sizes;
}

static mlir::LogicalResult checkView(Operation &op) {
  auto view = op.getAttrOfType<mlir::IntegerAttr>("view_of");
  if (!view ||
      (op.getNumResults() == 1 && view.getInt() >= 0 && view.getInt() < op.getNumOperands()))
    return mlir::success();
  return op.emitOpError("view_of is ")
         << view.getInt() << "; it should be the number of an operand of an op with one result";
}

mlir::LogicalResult Sizes::measure(Operation &op, int64_t max_rows) {
  if (mlir::failed(checkView(op)))
    return failure();
  OpBytes &bytes = bytes_[&op];
  for (mlir::OpResult result : op.getResults()) {
    if (hasRows(result.getType())) {
      const int64_t rows = rowsOfResult(result, [&](mlir::Value v) { return rows_.lookup(v); });
      rows_[result] = mlir::ShapedType::isDynamic(rows) ? max_rows : rows;
    }
    const FailureOr<int64_t> size = resultBytes(result);
    if (mlir::failed(size))
      return failure();
    bytes.results.push_back(*size);
  }
  if (auto scratch = op.getAttrOfType<mlir::IntegerAttr>("scratch_bytes"))
    bytes.scratch = scratch.getInt();
  if (!isSize(bytes.scratch))
    return op.emitOpError("scratch_bytes is ")
           << bytes.scratch << "; it should be from 0 to " << kMaxBytes;
  return mlir::success();
}

FailureOr<int64_t> Sizes::resultBytes(mlir::OpResult result) const {
  Operation *op = result.getOwner();
  if (auto said = op->getAttrOfType<mlir::DenseI64ArrayAttr>("result_bytes")) {
    if (said.size() != op->getNumResults() || !llvm::all_of(said.asArrayRef(), isSizeOrDefault))
      return op->emitOpError("result_bytes is ")
             << said << "; it should have one entry a result, each from 0 to " << kMaxBytes
             << ", or -1 for what the type says";
    if (said[result.getResultNumber()] >= 0)
      return said[result.getResultNumber()];
  }
  if (!needsMemory(result))
    return 0;
  llvm::SmallVector<int64_t> extents(ir::shapeOf(result.getType()));
  extents[0] = rows_.lookup(result);
  extents.push_back(kElementBytes);
  const std::optional<int64_t> bytes = multiply(extents);
  if (!bytes)
    return op->emitOpError("result ")
           << result.getResultNumber() << " needs more than " << kMaxBytes << " bytes";
  return *bytes;
}

FailureOr<int64_t> cacheBytes(FuncOp function, unsigned argument) {
  auto said = function.getArgAttrOfType<mlir::IntegerAttr>(argument, "lathe.cache_bytes");
  const std::optional<int64_t> bytes = said ? std::optional<int64_t>(said.getInt())
                                            : cacheTypeBytes(function.getArgumentTypes()[argument]);
  if (bytes && isSize(*bytes))
    return *bytes;
  return function.emitError("the cache of argument ")
         << argument << " needs " << (said ? std::to_string(said.getInt()) : "more than 2^48")
         << " bytes; it should be from 0 to " << kMaxBytes;
}

llvm::SmallVector<FuncOp> stepsOf(mlir::ModuleOp module) {
  llvm::SmallVector<FuncOp> steps;
  for (llvm::StringRef name : {"decode", "few", "prefill"})
    if (auto step = module.lookupSymbol<FuncOp>(name))
      steps.push_back(step);
  return steps;
}

} // namespace lathe::passes
