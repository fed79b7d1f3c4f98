// What the results of a case should be: the reference interpreter on the same program.
#pragma once

#include "absl/status/statusor.h"

#include "tests/conformance/case/program.h"

namespace lathe::conformance {

// Of each step, of each result; indices as numbers.
using StepResults = std::vector<std::vector<reference::Tensor>>;

absl::StatusOr<StepResults> expectedResults(const Program &program);

// Rank 1 as a column.
reference::Tensor asRows(const reference::Value &value);

} // namespace lathe::conformance
