#include "passes/partition/parts.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

#include "ir/lathe/dialect.h"
#include "passes/partition/offers.h"
#include "passes/row_source.h"
#include "passes/rows.h"
#include "passes/step.h"

namespace lathe::passes {

namespace {

using mlir::Operation;
using mlir::Value;
using mlir::func::FuncOp;

// Slices of what a part makes are views inside of it.
bool isInside(Operation *op, int64_t part) {
  if (auto slice = mlir::dyn_cast_if_present<ir::SliceOp>(op))
    return isInside(slice.getInput().getDefiningOp(), part);
  return op && partOf(op) == part;
}

void collectOperand(Value operand, int64_t number, llvm::SetVector<Value> &inputs,
                    llvm::SetVector<Value> &caches) {
  if (isCache(operand.getType()))
    caches.insert(cacheArgument(operand));
  else if (!operand.getDefiningOp<ir::WeightOp>() && !isInside(operand.getDefiningOp(), number))
    inputs.insert(operand);
}

bool leaves(Value result, int64_t number) {
  return llvm::any_of(result.getUsers(), [&](Operation *user) {
    if (auto slice = mlir::dyn_cast<ir::SliceOp>(user))
      return leaves(slice.getResult(), number);
    return !isInside(user, number);
  });
}

Part partOfOps(FuncOp step, int64_t number, std::vector<Operation *> ops) {
  Part part;
  part.target = placeOf(ops.front()).str();
  part.name = step.getName().str() + "." + std::to_string(number);
  part.step = step;
  llvm::SetVector<Value> inputs, caches;
  for (Operation *op : ops) {
    for (Value operand : op->getOperands())
      collectOperand(operand, number, inputs, caches);
    for (Value result : op->getResults())
      if (!isCache(result.getType()) && leaves(result, number))
        part.results.push_back(result);
  }
  part.inputs.assign(inputs.begin(), inputs.end());
  for (Value cache : caches)
    part.caches.push_back(mlir::cast<mlir::BlockArgument>(cache));
  part.ops = std::move(ops);
  return part;
}

// Makes the function of one part.
class Extraction {
public:
  Extraction(const Part &part, mlir::OpBuilder &builder)
      : part_(part), step_(part.step), builder_(builder) {}

  void run() {
    llvm::SmallVector<mlir::Type> types, results;
    for (Value input : part_.inputs)
      types.push_back(input.getType());
    for (Value result : part_.results)
      results.push_back(result.getType());
    for (mlir::BlockArgument cache : part_.caches) {
      types.push_back(cache.getType());
      results.push_back(cache.getType());
    }
    function_ = FuncOp::create(builder_, step_.getLoc(), part_.name,
                               builder_.getFunctionType(types, results));
    if (mlir::Attribute rows = step_->getAttr("lathe.max_rows"))
      function_->setAttr("lathe.max_rows", rows);
    mlir::OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPointToStart(function_.addEntryBlock());
    mapArguments();
    for (Operation *op : part_.ops)
      copy(op);
    finish();
  }

private:
  void mapArguments() {
    for (auto [index, input] : llvm::enumerate(part_.inputs)) {
      map_.map(input, function_.getArgument(index));
      function_.setArgAttr(index, "lathe.name", builder_.getStringAttr(nameOf(input, index)));
      if (mlir::ShapedType::isDynamic(ir::shapeOf(input.getType())[0]))
        noteRowSource(function_, index, rowSourceOf(input));
    }
    for (auto [index, cache] : llvm::enumerate(part_.caches)) {
      const unsigned argument = part_.inputs.size() + index;
      map_.map(cache, function_.getArgument(argument));
      if (auto name = step_.getArgAttr(cache.getArgNumber(), "lathe.name"))
        function_.setArgAttr(argument, "lathe.name", name);
    }
  }

  // A step's own inputs keep their names.
  std::string nameOf(Value input, unsigned index) {
    auto argument = mlir::dyn_cast<mlir::BlockArgument>(input);
    return argument ? argumentName(step_, argument.getArgNumber())
                    : "input" + std::to_string(index);
  }

  // With the weights and slices before it, and without what passes noted for home.
  void copy(Operation *op) {
    for (Value operand : op->getOperands())
      if (!map_.contains(operand))
        copyFree(operand);
    Operation *made = builder_.clone(*op, map_);
    for (llvm::StringRef note : {llvm::StringRef(kOffers), llvm::StringRef(kPlace),
                                 llvm::StringRef(kPart), llvm::StringRef("result_bytes")})
      made->removeAttr(note);
    for (auto [given, taken] : llvm::zip(made->getResults(), op->getResults()))
      if (isCache(given.getType()))
        map_.map(cacheArgument(taken), given);
  }

  void copyFree(Value operand) {
    if (isCache(operand.getType())) {
      map_.map(operand, map_.lookup(cacheArgument(operand)));
      return;
    }
    Operation *op = operand.getDefiningOp();
    for (Value inner : op->getOperands())
      if (!map_.contains(inner))
        copyFree(inner);
    builder_.clone(*op, map_);
  }

  void finish() {
    llvm::SmallVector<Value> values;
    for (Value result : part_.results)
      values.push_back(map_.lookup(result));
    for (mlir::BlockArgument cache : part_.caches)
      values.push_back(map_.lookup(cache));
    mlir::func::ReturnOp::create(builder_, step_.getLoc(), values);
  }

  const Part &part_;
  FuncOp step_;
  mlir::OpBuilder &builder_;
  FuncOp function_;
  mlir::IRMapping map_;
};

} // namespace

double crossingBytes(Value value, int64_t rows) {
  const int64_t own = ir::shapeOf(value.getType())[0];
  return rowBytes(value.getType()) *
         static_cast<double>(mlir::ShapedType::isDynamic(own) ? rows : own);
}

std::vector<Part> partsOf(FuncOp step) {
  std::vector<std::vector<Operation *>> ops;
  for (Operation &op : step.getBody().front()) {
    const int64_t number = partOf(&op);
    if (number < 0)
      continue;
    ops.resize(std::max<size_t>(ops.size(), number + 1));
    ops[number].push_back(&op);
  }
  std::vector<Part> parts;
  for (auto [number, of_part] : llvm::enumerate(ops))
    parts.push_back(partOfOps(step, static_cast<int64_t>(number), std::move(of_part)));
  return parts;
}

mlir::OwningOpRef<mlir::ModuleOp> extract(llvm::ArrayRef<Part> parts) {
  FuncOp step = parts.front().step;
  mlir::OpBuilder builder(step.getContext());
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(builder, step.getLoc());
  builder.setInsertionPointToEnd(module->getBody());
  for (const Part &part : parts)
    Extraction(part, builder).run();
  return module;
}

} // namespace lathe::passes
