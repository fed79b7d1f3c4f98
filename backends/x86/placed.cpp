#include "backends/x86/placed.h"

#include "backends/x86/select/selector.h"
#include "passes/partition/offers.h"

namespace lathe::x86 {
namespace {

using mlir::func::FuncOp;
using passes::Part;

ValuePlace placeOf(const Selector &selector, mlir::Value value) {
  const Place place = selector.place(value);
  llvm::ArrayRef<int64_t> shape = ir::shapeOf(value.getType());
  const int64_t columns = shape.size() > 1 ? shape.back() : 1;
  ValuePlace result{static_cast<Buffer::Kind>(bufferOf(place.operand)),
                    offsetOf(place.operand),
                    4 * place.stride,
                    4 * columns,
                    !mlir::ShapedType::isDynamic(shape[0]),
                    {}};
  result.rows =
      result.has_constant_rows ? passes::RowSource{false, shape[0]} : passes::rowSourceOf(value);
  return result;
}

class Walk {
public:
  Walk(FuncOp function, const std::vector<Part> &parts, const Level &level, WeightPlan &weights,
       Program &program, PlacedStep &step)
      : function_(function), parts_(parts), level_(level), weights_(weights), program_(program),
        step_(step) {
    begin();
  }

  mlir::LogicalResult run() {
    for (mlir::Operation &op : function_.getBody().front()) {
      const int64_t part = passes::partOf(&op);
      if (part >= 0 && part != part_)
        addPart(part);
      if (part < 0 && mlir::failed(selector_->select(&op)))
        return mlir::failure();
    }
    finish();
    return mlir::success();
  }

private:
  // A run of ops at home, which may stay empty.
  void begin() {
    at_home_ = emptyProgram(function_);
    at_home_.name += ".home" + std::to_string(entries_);
    selector_.emplace(function_, level_, weights_, program_, at_home_);
  }
  void finish() {
    if (at_home_.regions.empty())
      return;
    at_home_.regions.front().joined = false; // nothing of this entry is before it
    step_.items.push_back({at_home_.name, nullptr, {}, {}});
    program_.steps.push_back(std::move(at_home_));
    ++entries_;
  }
  void addPart(int64_t number) {
    finish();
    begin();
    part_ = number;
    PlacedStep::Item item{"", &parts_[number], {}, {}};
    for (mlir::Value input : item.part->inputs)
      item.inputs.push_back(placeOf(*selector_, input));
    for (mlir::Value result : item.part->results)
      item.results.push_back(placeOf(*selector_, result));
    step_.items.push_back(std::move(item));
  }

  FuncOp function_;
  const std::vector<Part> &parts_;
  const Level &level_;
  WeightPlan &weights_;
  Program &program_;
  PlacedStep &step_;
  StepProgram at_home_;
  std::optional<Selector> selector_;
  int64_t part_ = -1, entries_ = 0;
};

} // namespace

mlir::FailureOr<PlacedStep> selectPlaced(FuncOp function, const std::vector<Part> &parts,
                                         const Level &level, WeightPlan &weights,
                                         Program &program) {
  const StepProgram whole = emptyProgram(function);
  PlacedStep step{whole.name, whole.max_rows, whole.arena_bytes, whole.state_bytes, {}};
  if (mlir::failed(Walk(function, parts, level, weights, program, step).run()))
    return mlir::failure();
  return step;
}

} // namespace lathe::x86
