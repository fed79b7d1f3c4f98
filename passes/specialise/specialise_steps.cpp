// @step is copied two or three times; in @decode the number of rows becomes a constant, from the
// arguments through every op to the results.
#include "passes/passes.h"

#include "llvm/Support/DebugLog.h"

#include "ir/lathe/verify.h"
#include "passes/rows.h"
#include "passes/specialise/few_rows.h"
#include "passes/specialise/prefill_chunk.h"

#define DEBUG_TYPE "lathe-specialise-steps"

namespace lathe::passes {

#define GEN_PASS_DEF_SPECIALISESTEPS
#include "passes/passes.h.inc"

namespace {

using mlir::failure;
using mlir::LogicalResult;
using mlir::func::FuncOp;

// tokens, slots and positions have a row each; output_rows has as many as the caller asks for.
constexpr unsigned kRowArguments = 3, kIndexArguments = 4;

bool isIndices(mlir::Type type) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  return tensor && tensor.getRank() == 1 && tensor.getElementType().isInteger(32);
}

bool isStep(FuncOp function) {
  const auto types = function.getArgumentTypes();
  return types.size() >= kIndexArguments && function.getBody().hasOneBlock() &&
         llvm::all_of(types.take_front(kIndexArguments), isIndices) &&
         llvm::all_of(types.drop_front(kIndexArguments),
                      llvm::IsaPred<ir::KvCacheType, ir::LatentCacheType>);
}

LogicalResult verifyStep(mlir::ModuleOp module, FuncOp step) {
  if (!isStep(step))
    return step.emitError("is a ")
           << step.getFunctionType()
           << "; it should take (tokens, slots, positions, output_rows, caches)";
  for (llvm::StringRef name : {"decode", "few", "prefill"})
    if (auto taken = module.lookupSymbol(name))
      return taken->emitError("@") << name << " is there already, beside the @step to make it from";
  return mlir::success();
}

int64_t contextOf(mlir::Type cache) {
  auto latent = mlir::dyn_cast<ir::LatentCacheType>(cache);
  return latent ? latent.getMaxContext() : mlir::cast<ir::KvCacheType>(cache).getMaxContext();
}

// Tokens that fit all caches; a step without caches has no limit.
int64_t maxContext(FuncOp step) {
  int64_t context = INT32_MAX;
  for (mlir::Type cache : step.getArgumentTypes().drop_front(kIndexArguments))
    context = std::min(context, contextOf(cache));
  return context;
}

void setMaxRows(FuncOp function, int64_t rows) {
  function->setAttr("lathe.max_rows", mlir::Builder(function).getI64IntegerAttr(rows));
}

void fixResultRows(mlir::Operation &op) {
  const auto rowsOf = [](mlir::Value value) { return ir::rowsOf(value); };
  for (mlir::OpResult result : op.getResults())
    if (hasRows(result.getType()))
      result.setType(withRows(result.getType(), rowsOfResult(result, rowsOf)));
}

void fixRows(FuncOp function, int64_t rows) {
  mlir::Block &body = function.getBody().front();
  for (mlir::BlockArgument argument : body.getArguments().take_front(kRowArguments))
    argument.setType(withRows(argument.getType(), rows));
  for (mlir::Operation &op : body)
    fixResultRows(op);
  function.setType(mlir::FunctionType::get(function.getContext(), body.getArgumentTypes(),
                                           body.getTerminator()->getOperandTypes()));
}

struct SpecialiseStepsPass : impl::SpecialiseStepsBase<SpecialiseStepsPass> {
  using Base::Base;

  void runOnOperation() override {
    auto step = getOperation().lookupSymbol<FuncOp>("step");
    if (!step) {
      getOperation().emitError("has no function @step; import makes one from a checkpoint");
      return signalPassFailure();
    }
    const auto tables = cost::tablesOf(getOperation());
    if (failed(verifyStep(getOperation(), step)) || failed(verifyOptions(step)) || failed(tables))
      return signalPassFailure();
    const PrefillChunk chunk =
        choosePrefillChunk(step, prefillChunk, maxContext(step), activations, *tables);
    FuncOp decode = insertCopy(step, "decode");
    fixRows(decode, 1);
    setMaxRows(decode, 1);
    if (fewRows != 1)
      insertFew(step, chunk.rows, *tables);
    FuncOp prefill = insertCopy(step, "prefill");
    setMaxRows(prefill, chunk.rows);
    explain(prefill.getBody().front().getTerminator(), chunk.decision);
    step.erase();
    ++numSpecialised;
  }

  LogicalResult verifyOptions(FuncOp step) {
    if (prefillChunk < 0)
      return step.emitError("prefill-chunk is ")
             << prefillChunk.getValue() << "; it should be at least 1, or 0 to let it be chosen";
    if (fewRows < 0 || fewRows > 1)
      return step.emitError("few-rows is ")
             << fewRows.getValue() << "; it should be 0 to let it be chosen, or 1 for no such step";
    return mlir::success();
  }

  void insertFew(FuncOp step, int64_t chunk, llvm::ArrayRef<cost::Table> tables) {
    const std::optional<FewRows> chosen = chooseFewRows(step, chunk, tables);
    if (!chosen)
      return;
    FuncOp few = insertCopy(step, "few");
    setMaxRows(few, chosen->rows);
    explain(few.getBody().front().getTerminator(), chosen->decision);
  }

  FuncOp insertCopy(FuncOp step, llvm::StringRef name) {
    mlir::OpBuilder builder(step);
    auto copy = mlir::cast<FuncOp>(builder.clone(*step));
    copy.setName(name);
    return copy;
  }
};

} // namespace
} // namespace lathe::passes
