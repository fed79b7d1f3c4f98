// What an artifact says about itself, out of the optimised module and the programs of its targets.
#pragma once

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"

#include "artifact/manifest.h"
#include "backends/x86/level.h"
#include "backends/x86/program.h"
#include "backends/x86/weight_plan.h"
#include "frontend/checkpoint.h"

namespace lathe::compiler {

// All but the targets and the sections. `module` has been planned.
absl::StatusOr<artifact::Manifest> makeManifest(mlir::ModuleOp module,
                                                const frontend::Checkpoint &checkpoint,
                                                const std::string &activations);

artifact::Target makeTarget(const x86::Level &level, const x86::Program &program,
                            const x86::WeightPlan &weights, uint32_t vocab_size);

} // namespace lathe::compiler
