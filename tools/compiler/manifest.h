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

// Buffers of a step at home, in the order of artifact::BufferKind, which is that of the code's
// buffers, too.
std::vector<artifact::Buffer> homeBuffers(int64_t max_rows, uint64_t arena_bytes,
                                          uint64_t state_bytes, uint64_t weight_bytes,
                                          uint32_t vocab_size);

// With these steps of its program.
artifact::Target makeTarget(const x86::Level &level, llvm::ArrayRef<x86::StepProgram> steps,
                            const x86::WeightPlan &weights, uint32_t vocab_size);

} // namespace lathe::compiler
