// From planned IR to code: what the compile driver calls.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"

#include "backends/x86/level.h"
#include "backends/x86/program.h"
#include "backends/x86/weight_plan.h"

namespace lathe::x86 {

// The regions of every step of `module`, which the planning passes have been over (functions named
// decode and prefill). Adds the packed copies that they read to `weights`.
mlir::FailureOr<Program> selectProgram(mlir::ModuleOp module, const Level &level,
                                       WeightPlan &weights);

// The program as the bytes of an ELF shared object. Thread-safe.
// `kernels`: see object.h.
absl::StatusOr<std::string> makeCode(const Program &program, const Level &level,
                                     llvm::StringRef kernels = {});

} // namespace lathe::x86
