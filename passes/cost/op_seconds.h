// What ops take on a target.
#pragma once

#include "mlir/IR/Operation.h"

#include "passes/cost/table.h"
#include "passes/cost/work.h"

namespace lathe::passes::cost {

// Of a mean of `rows` rows in each matrix of a weight. Fewer than one: so many matrices are not
// read at all.
double meanProductSeconds(const Table &table, const WeightCost &weight, llvm::StringRef row_form,
                          double rows);

// Of grouped-query attention of rows that have `keys` keys before them; 0 where nobody measured it.
double groupedSeconds(const Table &table, const KeyWork &work, double rows, double keys);

// In a step of `rows` rows that see `keys` keys each, at the rates of the table: products with
// weights from memory, attention, or the bytes of rows where those come from memory; and a region.
// Weights and slices take no time.
double opSeconds(const Table &table, mlir::Operation *op, double rows, double keys);

} // namespace lathe::passes::cost
