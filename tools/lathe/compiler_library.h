// liblathe_compiler.so, loaded when a verb needs it: it brings MLIR and LLVM, `lathe run` does not.
#pragma once

#include "absl/status/statusor.h"

#include "tools/compiler/api.h"

namespace lathe::cli {

// Looks beside the program (../lib/), then where the loader looks. Stays loaded.
// FAILED_PRECONDITION where there is none or it cannot be loaded.
absl::StatusOr<const compiler::Api *> compilerLibrary();

} // namespace lathe::cli
