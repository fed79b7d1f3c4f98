// Random programs, planned, then run over an array that knows who wrote each line of 64 bytes.
#include <random>

#include <gmock/gmock.h>

#include "mlir/Pass/PassManager.h"

#include "passes/passes.h"

namespace lathe::passes {
namespace {

using mlir::Operation;
using mlir::Value;
using mlir::func::FuncOp;

constexpr int64_t kLine = 64;

int64_t columnsOf(Value value) { return ir::shapeOf(value.getType()).back(); }

// A function of scale, concat, slice and fused_linear over rows of random width. Some ops have
// scratch, some results sizes that a backend has chosen.
class RandomProgram {
public:
  RandomProgram(mlir::MLIRContext &context, unsigned seed) : random_(seed), builder_(&context) {
    module_ = mlir::ModuleOp::create(location());
    builder_.setInsertionPointToEnd(module_->getBody());
    const mlir::Type input = rows(upTo(40));
    function_ = FuncOp::create(builder_, location(), "step", builder_.getFunctionType({input}, {}));
    function_->setAttr("lathe.max_rows", builder_.getI64IntegerAttr(upTo(9)));
    builder_.setInsertionPointToStart(function_.addEntryBlock());
    values_.push_back(function_.getArgument(0));
    for (int64_t count = upTo(40); count > 0; --count)
      add(upTo(4));
    mlir::func::ReturnOp::create(builder_, location());
  }

  mlir::ModuleOp module() { return *module_; }
  FuncOp function() { return function_; }

private:
  int64_t upTo(int64_t limit) { return 1 + static_cast<int64_t>(random_() % limit); }
  Value any() { return values_[random_() % values_.size()]; }
  mlir::Location location() { return builder_.getUnknownLoc(); }
  mlir::RankedTensorType rows(int64_t columns) {
    return mlir::RankedTensorType::get({mlir::ShapedType::kDynamic, columns},
                                       builder_.getF32Type());
  }

  void add(int64_t kind) {
    Operation *op = kind == 1 ? scale() : kind == 2 ? concat() : kind == 3 ? slice() : products();
    llvm::append_range(values_, op->getResults());
    if (kind != 3 && upTo(4) == 1)
      op->setAttr("scratch_bytes", builder_.getI64IntegerAttr(upTo(1000)));
    if (kind != 3 && upTo(4) == 1) {
      llvm::SmallVector<int64_t> sizes(op->getNumResults());
      for (int64_t &size : sizes)
        size = upTo(1000) - 1;
      op->setAttr("result_bytes", builder_.getDenseI64ArrayAttr(sizes));
    }
  }
  Operation *scale() {
    return ir::ScaleOp::create(builder_, location(), any(), llvm::APFloat(2.0f));
  }
  Operation *concat() {
    const Value a = any(), b = any();
    return ir::ConcatOp::create(builder_, location(), rows(columnsOf(a) + columnsOf(b)),
                                mlir::ValueRange{a, b});
  }
  Operation *slice() {
    const Value input = any();
    const int64_t columns = upTo(columnsOf(input));
    return ir::SliceOp::create(builder_, location(), rows(columns), input,
                               columnsOf(input) - columns);
  }
  Operation *products() {
    const Value x = any();
    llvm::SmallVector<Value> weights;
    llvm::SmallVector<mlir::Type> types;
    for (int64_t count = 1 + upTo(2); count > 0; --count) {
      weights.push_back(weight(upTo(40), columnsOf(x)));
      types.push_back(rows(ir::shapeOf(weights.back().getType()).front()));
    }
    return ir::FusedLinearOp::create(builder_, location(), types, x, weights, mlir::ValueRange());
  }
  Value weight(int64_t out, int64_t in) {
    const auto source = ir::TensorRefAttr::get(builder_.getContext(), "w", "");
    return ir::WeightOp::create(builder_, location(),
                                mlir::RankedTensorType::get({out, in}, builder_.getF32Type()),
                                builder_.getStringAttr("w"), builder_.getArrayAttr({source}),
                                mlir::ArrayAttr(), mlir::DenseI64ArrayAttr(), mlir::TypeAttr());
  }

  std::mt19937 random_;
  mlir::OpBuilder builder_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  FuncOp function_;
  std::vector<Value> values_;
};

int64_t integer(Operation *op, llvm::StringRef name) {
  auto attribute = op->getAttrOfType<mlir::IntegerAttr>(name);
  return attribute ? attribute.getInt() : 0;
}

// Part of the arena that an op asked for.
struct Extent {
  int64_t offset, bytes;
  const void *owner;
};

std::vector<Extent> extentsOf(Operation *op, int64_t max_rows) {
  std::vector<Extent> extents;
  auto offsets = op->getAttrOfType<mlir::DenseI64ArrayAttr>("arena_offsets");
  auto sizes = op->getAttrOfType<mlir::DenseI64ArrayAttr>("result_bytes");
  for (auto [index, result] : llvm::enumerate(op->getResults())) {
    const int64_t bytes = sizes ? sizes[index] : max_rows * columnsOf(result) * 4;
    if (bytes > 0 && !mlir::isa<ir::SliceOp, ir::WeightOp>(op))
      extents.push_back({offsets ? offsets[index] : -1, bytes, result.getAsOpaquePointer()});
  }
  if (integer(op, "scratch_bytes") > 0)
    extents.push_back({integer(op, "scratch_offset"), integer(op, "scratch_bytes"), op});
  return extents;
}

class Simulation {
public:
  explicit Simulation(FuncOp function)
      : rows_(integer(function, "lathe.max_rows")), peak_(integer(function, "lathe.arena_bytes")),
        owners_(peak_ / kLine) {
    for (Operation &op : function.getBody().front())
      step(&op);
    EXPECT_LE(peak_, naive_) << "more than one place for each buffer";
  }

private:
  void step(Operation *op) {
    const std::vector<Extent> mine = extentsOf(op, rows_);
    for (const Extent &extent : mine)
      write(extent);
    for (const Extent &extent : mine)
      read(extent);
    for (Value operand : op->getOperands()) {
      while (auto slice = operand.getDefiningOp<ir::SliceOp>())
        operand = slice.getInput();
      if (auto place = places_.find(operand.getAsOpaquePointer()); place != places_.end())
        read(place->second);
    }
  }
  void write(const Extent &extent) {
    ASSERT_EQ(extent.offset % kLine, 0);
    ASSERT_GE(extent.offset, 0);
    ASSERT_LE(extent.offset + extent.bytes, peak_);
    naive_ += (extent.bytes + kLine - 1) / kLine * kLine;
    places_[extent.owner] = extent;
    for (int64_t line = extent.offset / kLine; line * kLine < extent.offset + extent.bytes; ++line)
      owners_[line] = extent.owner;
  }
  void read(const Extent &extent) {
    for (int64_t line = extent.offset / kLine; line * kLine < extent.offset + extent.bytes; ++line)
      ASSERT_EQ(owners_[line], extent.owner) << "line " << line << " has another owner";
  }

  int64_t rows_, peak_, naive_ = 0;
  std::vector<const void *> owners_;
  std::map<const void *, Extent> places_;
};

class PlanBuffers : public testing::Test {
protected:
  PlanBuffers() { context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>(); }

  // Both the pass and the check that the pipeline runs behind it.
  bool plan(mlir::ModuleOp module) {
    mlir::PassManager passes(module->getName());
    passes.addNestedPass<FuncOp>(createPlanBuffers());
    passes.addPass(createVerifyPlan());
    return mlir::succeeded(passes.run(module));
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
};

TEST_F(PlanBuffers, neverLetsTwoLiveBuffersOverlapInRandomPrograms) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    RandomProgram program(context, seed);
    ASSERT_TRUE(plan(program.module()));
    Simulation run(program.function());
    if (testing::Test::HasFailure())
      return program.module().dump();
  }
}

TEST_F(PlanBuffers, usesMemoryAgainInAChain) {
  RandomProgram program(context, 0);
  mlir::OpBuilder builder(program.function().getBody().front().getTerminator());
  Value last = program.function().getArgument(0);
  for (int i = 0; i < 1000; ++i)
    last = ir::ScaleOp::create(builder, builder.getUnknownLoc(), last, llvm::APFloat(2.0f));
  ASSERT_TRUE(plan(program.module()));
  const int64_t row = integer(program.function(), "lathe.max_rows") * columnsOf(last) * 4;
  EXPECT_LT(integer(program.function(), "lathe.arena_bytes"), 500 * row);
}

} // namespace
} // namespace lathe::passes
