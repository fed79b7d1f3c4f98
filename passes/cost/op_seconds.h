// What one op takes on a target: what placement compares with the offers of others.
#pragma once

#include "mlir/IR/Operation.h"

#include "passes/cost/table.h"

namespace lathe::passes::cost {

// In a step of `rows` rows that see `keys` keys each, at the rates of the table: products with
// weights from memory, attention, or the bytes of rows where those come from memory; and a region.
// Weights and slices take no time.
double opSeconds(const Table &table, mlir::Operation *op, double rows, double keys);

} // namespace lathe::passes::cost
