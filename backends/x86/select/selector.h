// Selection: from the ops of a planned step to regions. This header is what the files of this
// folder share: where values are, and how a region is added.
#pragma once

#include <array>
#include <cstring>

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "backends/x86/annotate.h"
#include "backends/x86/folded_ops.h"
#include "backends/x86/kernels/linear.h"
#include "backends/x86/level.h"
#include "backends/x86/program.h"
#include "backends/x86/weight_plan.h"
#include "ir/lathe/dialect.h"

namespace lathe::x86 {

// Where a value is: the operand of its first element, the distance of its rows in elements (or that
// of steps in rows) and what rows are in memory (RowsIn).
// Quantised rows are codes at `operand`, and scales at `scales`, `scale_stride` floats a row.
struct Place {
  int64_t operand = no_operand;
  int64_t stride = 0;
  int64_t scales = no_operand;
  int64_t scale_stride = 0;
  int64_t rows_in = RowsIn::f32;

  Place column(int64_t offset) const {
    return {operand + 4 * offset, stride, scales, scale_stride, rows_in};
  }
};

// " 1408x2048 f8e4m3"
std::string weightText(const WeightParams &weight);

class Selector {
public:
  Selector(mlir::func::FuncOp function, const Level &level, WeightPlan &weights, Program &program,
           StepProgram &step);

  // Adds the regions of one op. Fails with a diagnostic on the op where no kernel does it.
  mlir::LogicalResult select(mlir::Operation *op);

  Place place(mlir::Value value) const;
  // Which rows a value has. Those of a decode step are one, a constant.
  RowCount rows(mlir::Value value) const;
  int64_t rowSource() const { return isDecode() ? RowSource::none : RowSource::rows; }
  // How a kernel that works row by row cuts the rows of `value`.
  RowSplit split(mlir::Value value, int64_t columns) const;
  // bf16 rows that products take in their order, in a step of at most `max_rows`.
  Place narrowRows(int64_t operand, int64_t max_rows, int64_t columns) const;
  // What codes of quantised rows are in memory.
  static int64_t codesIn(bool integers) { return integers ? RowsIn::i8 : RowsIn::f32; }
  // The part of the arena that the plan gave to an op with `scratch_bytes`.
  int64_t scratch(mlir::Operation *op) const;
  bool isDecode() const { return step_.max_rows == 1; }
  int64_t maxRows() const { return step_.max_rows; }

  WeightPlan &weights() { return weights_; }
  Program &program() { return program_; }

  template <typename Params>
  RegionUse &add(mlir::Operation *op, llvm::StringRef kernel, const Params &params,
                 llvm::ArrayRef<int64_t> operands, const Items &items) {
    KernelUse use = kernelUse(kernel.str(), params);
    use.label = use.kernel;
    if constexpr (requires { params.weight; })
      use.label += weightText(params.weight);
    return addRegion(op, std::move(use), operands, items);
  }

private:
  RegionUse &addRegion(mlir::Operation *op, KernelUse use, llvm::ArrayRef<int64_t> operands,
                       const Items &items);
  Place placeOfArgument(mlir::BlockArgument argument) const;
  // Whether rows are bf16 in memory. A decode step reads its one row so often that it is not worth
  // widening.
  bool isNarrow(mlir::Value value) const { return !isDecode() && isRoundedForProducts(value); }

  mutable mlir::func::FuncOp function_; // MLIR has no const ops
  const Level &level_;
  WeightPlan &weights_;
  Program &program_;
  StepProgram &step_;
};

// One function for each op, in the file of its group. Each adds the op's regions.
mlir::LogicalResult selectOp(Selector &, ir::EmbeddingOp);
mlir::LogicalResult selectOp(Selector &, ir::SelectRowsOp);
mlir::LogicalResult selectOp(Selector &, ir::ConcatOp);
mlir::LogicalResult selectOp(Selector &, ir::AddOp);
mlir::LogicalResult selectOp(Selector &, ir::ScaleOp);
mlir::LogicalResult selectOp(Selector &, ir::SwigluOp);
mlir::LogicalResult selectOp(Selector &, ir::CastOp);
mlir::LogicalResult selectOp(Selector &, ir::QuantizeOp);
mlir::LogicalResult selectOp(Selector &, ir::RmsNormOp);
mlir::LogicalResult selectOp(Selector &, ir::RopeTableOp);
mlir::LogicalResult selectOp(Selector &, ir::RopeOp);
mlir::LogicalResult selectOp(Selector &, ir::LinearOp);
mlir::LogicalResult selectOp(Selector &, ir::ScaledMatmulOp);
mlir::LogicalResult selectOp(Selector &, ir::FusedLinearOp);
mlir::LogicalResult selectOp(Selector &, ir::GatedLinearOp);
mlir::LogicalResult selectOp(Selector &, ir::AttentionOp);
mlir::LogicalResult selectOp(Selector &, ir::MlaAttentionOp);
mlir::LogicalResult selectOp(Selector &, ir::AbsorbQueryOp);
mlir::LogicalResult selectOp(Selector &, ir::ExpandValueOp);
mlir::LogicalResult selectOp(Selector &, ir::FusedExpertsOp);

// The program of a planned step, without regions.
StepProgram emptyProgram(mlir::func::FuncOp function);

// Columns of a rows value.
int64_t columnsOf(mlir::Value value);

} // namespace lathe::x86
