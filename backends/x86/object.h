// From a module of the LLVM dialect to an ELF shared object for one feature level.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"

#include "backends/x86/level.h"

namespace lathe::x86 {

// What becomes of the constants that a kernel is used with: folded into a copy of it, as models are
// compiled, or handed to one kernel for all uses, which is compiled once and runs slower. Results
// are the same: the conformance kit compiles thousands of shapes.
enum class Kernels { specialised, shared };

// Links the level's kernels in, inlines them, optimises, emits an object and links it with lld in
// this process. Gives the bytes of the shared object. INTERNAL with LLVM's own words where a tool
// of LLVM refuses; RESOURCE_EXHAUSTED where the temporary folder is full. Thread-safe for modules
// of different contexts.
absl::StatusOr<std::string> makeSharedObject(mlir::ModuleOp module, const Level &level,
                                             Kernels kernels = Kernels::specialised);

} // namespace lathe::x86
