// The feature levels that this backend makes code for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace lathe::x86 {

struct Level {
  llvm::StringRef name;          // "x86-64-v3"
  llvm::StringRef cpu;           // LLVM's name for the processor that code is scheduled for
  llvm::StringRef features;      // LLVM's feature string, on top of the base level
  llvm::StringRef compatibility; // what runtime/cpu/features.h judges
  bool has_tiles;                // AMX
  bool for_integers = false;     // differs from the level before in products of integers alone
};

// All levels, the lowest first. A machine that has one has all before it.
llvm::ArrayRef<Level> levels();
const Level *findLevel(llvm::StringRef name);

} // namespace lathe::x86
