#include "passes/cost/op_seconds.h"

#include <algorithm>

#include "ir/lathe/verify.h"
#include "passes/cost/mla.h"
#include "passes/row_source.h"
#include "passes/rows.h"

namespace lathe::passes::cost {

namespace {

using mlir::Operation;
using mlir::Value;

// The form in which the op's products take their rows.
llvm::StringRef rowForm(Operation *op) {
  if (auto experts = mlir::dyn_cast<ir::FusedExpertsOp>(op))
    return experts.getActivations() == ir::Activations::f32    ? "f32"
           : experts.getActivations() == ir::Activations::bf16 ? "bf16"
                                                               : "w8a8";
  mlir::Type type = op->getOperand(0).getType();
  if (mlir::isa<ir::QuantizedType>(type))
    return "w8a8";
  return ir::elementTypeOf(type).isBF16() ? "bf16" : "f32";
}

// A step wants the logits of one row.
double rowsOf(Value value, double rows) {
  if (!mlir::ShapedType::isDynamic(ir::shapeOf(value.getType())[0]))
    return static_cast<double>(ir::rowsOf(value));
  const RowSource source = rowSourceOf(value);
  return static_cast<double>(source.factor) * (source.is_output_rows ? 1 : rows);
}

double productSeconds(const Table &table, Operation *op, double rows) {
  double seconds = 0;
  for (const WeightWork &work : weightWork(op, [&](Value value) { return rowsOf(value, rows); }))
    seconds += meanProductSeconds(table, weightCost(work.weight), rowForm(op), work.rows);
  return seconds;
}

double attentionSeconds(const Table &table, Operation *op, double rows, double keys) {
  if (auto latent = mlir::dyn_cast<ir::MlaAttentionOp>(op))
    return seconds(table, MlaShape::of(latent), latent.getForm(), rows, keys);
  auto attention = mlir::dyn_cast<ir::AttentionOp>(op);
  return attention ? groupedSeconds(table, keyWork(attention), rows, keys) : 0;
}

double movedBytes(Operation *op, double rows) {
  double bytes = 0;
  auto add = [&](Value value) {
    if (!hasRows(value.getType()) || value.getDefiningOp<ir::WeightOp>())
      return;
    bytes += rowBytes(value.getType()) * rowsOf(value, rows);
  };
  llvm::for_each(op->getOperands(), add);
  llvm::for_each(op->getResults(), add);
  return bytes;
}

} // namespace

double meanProductSeconds(const Table &table, const WeightCost &weight, llvm::StringRef row_form,
                          double rows) {
  return std::min(rows, 1.0) * table.productSeconds(weight, row_form, rows);
}

double groupedSeconds(const Table &table, const KeyWork &work, double rows, double keys) {
  const double rate = table.attentionRate("grouped");
  const double seen = work.window > 0 ? std::min(keys, static_cast<double>(work.window)) : keys;
  return rate > 0 ? work.flops * rows * seen / rate : 0;
}

double opSeconds(const Table &table, Operation *op, double rows, double keys) {
  if (mlir::isa<ir::WeightOp, ir::SliceOp>(op))
    return 0;
  const double bytes = movedBytes(op, rows);
  const double moving = bytes > table.number("cache_bytes") ? table.readSeconds(bytes) : 0;
  return table.number("region_seconds") + moving + productSeconds(table, op, rows) +
         attentionSeconds(table, op, rows, keys);
}

} // namespace lathe::passes::cost
