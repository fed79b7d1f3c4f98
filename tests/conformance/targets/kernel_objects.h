// The kernels of our own backend, compiled once for all shapes when the kit is built.
#pragma once

#include "llvm/ADT/StringRef.h"

namespace lathe::conformance {

// Bytes of an object file; of a level of x86.
llvm::StringRef kernelObject(llvm::StringRef level);

} // namespace lathe::conformance
