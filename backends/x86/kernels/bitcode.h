// The kernels as LLVM bitcode, in this library's read-only data.
#pragma once

#include "llvm/ADT/StringRef.h"

namespace lathe::x86 {

// The bitcode for a feature level ("x86-64-v3"); empty where the level is unknown.
llvm::StringRef kernelBitcode(llvm::StringRef level);

} // namespace lathe::x86
