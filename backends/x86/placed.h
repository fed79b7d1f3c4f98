// Steps of which some ops run on other devices: what this backend runs in between, and where the
// values stand that cross. The arena is planned over all ops, so that a value which leaves or comes
// back has its place at home like any other.
#pragma once

#include <string>
#include <vector>

#include "backends/x86/compile.h"
#include "passes/partition/parts.h"
#include "passes/row_source.h"

namespace lathe::x86 {

// Rows of bytes in a buffer of the step.
struct ValuePlace {
  Buffer::Kind buffer;
  int64_t offset, stride, row_bytes; // bytes
  bool has_constant_rows;            // then `rows.factor` of them
  passes::RowSource rows;
};

struct PlacedStep {
  // Either an entry of this backend's code or a part that another device runs.
  struct Item {
    std::string entry;
    const passes::Part *part = nullptr;
    std::vector<ValuePlace> inputs, results; // of the part, in its order
  };
  std::string name;
  int64_t max_rows = 1;
  uint64_t arena_bytes = 0, state_bytes = 0;
  std::vector<Item> items; // in the order in which they run
};

// Of `step`, which has been ordered (lathe-order-parts) and planned; `parts` are its. Adds an entry
// to `program` for each run of ops at home.
mlir::FailureOr<PlacedStep> selectPlaced(mlir::func::FuncOp step,
                                         const std::vector<passes::Part> &parts, const Level &level,
                                         WeightPlan &weights, Program &program);

} // namespace lathe::x86
