// The rows of the step between decode and prefill. A prefill step with latent attention expands all
// keys of the context, which pays for many rows. The end of a prompt and the next message of a
// conversation have few.
#pragma once

#include <optional>

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "passes/cost/table.h"
#include "passes/explain.h"

namespace lathe::passes {

struct FewRows {
  int64_t rows;
  Decision decision;
};

// At most how many rows such a step of the portable `step` takes, beside a prefill step of `chunk`:
// the largest power of two for which the absorbed form takes half of the time of the materialised
// one or less. Half, because few rows in a short context, where keys are few, too, gain nothing.
// None where no attention has two forms, or none is better materialised in a step of `chunk` rows.
std::optional<FewRows> chooseFewRows(mlir::func::FuncOp step, int64_t chunk,
                                     llvm::ArrayRef<cost::Table> tables);

} // namespace lathe::passes
