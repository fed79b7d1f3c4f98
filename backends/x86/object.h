// From a module of the LLVM dialect to an ELF shared object for one feature level.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"

#include "backends/x86/level.h"

namespace lathe::x86 {

// Links the level's kernels in, inlines them, optimises, emits an object and links it with lld in
// this process. Gives the bytes of the shared object. INTERNAL with LLVM's own words where a tool
// of LLVM refuses; RESOURCE_EXHAUSTED where the temporary folder is full. Thread-safe for modules
// of different contexts.
//
// `kernels`: an object file with the level's kernels, which is linked instead. Then no constants
// are folded into them: the code is made in a hundredth of the time and runs slower. Its results
// are the same; the conformance kit, which compiles thousands of shapes, is made so.
absl::StatusOr<std::string> makeSharedObject(mlir::ModuleOp module, const Level &level,
                                             llvm::StringRef kernels = {});

} // namespace lathe::x86
