// What a plugin's target says of each op, written down for placement (passes/partition/offers.h).
#pragma once

#include "absl/status/status.h"
#include "mlir/IR/BuiltinOps.h"

#include "backends/plugin/program_view.h"
#include "runtime/abi/plugin.h"

namespace lathe::plugin {

// A target of a plugin. Borrowed.
struct Target {
  std::string name; // "npu:ascend-910b"
  const lathe_compile_api *api;
  const lathe_target *handle;
  double transfer_bandwidth = 0, transfer_seconds = 0;
};

// Asks about every op of `module` that is shown in `view`. An error of the plugin's, with the op.
absl::Status setOffers(mlir::ModuleOp module, const ProgramView &view, const Target &target);

} // namespace lathe::plugin
