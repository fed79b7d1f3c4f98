// Ops that are at home although nobody wants them there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mlir/IR/BuiltinOps.h"

#include "passes/partition/place_rules.h"

namespace lathe::passes {

struct Fallback {
  std::string op;    // "mla_attention"
  int64_t count = 0; // of all steps
  std::string why;   // "npu:tiny: unsupported_op: ..."; of each target
};

// Of a placed module: what is at home, not by a rule, and was refused by every other target. Equal
// ops that were refused alike are one entry, in the order of the first of them.
std::vector<Fallback> fallbacksOf(mlir::ModuleOp module, llvm::ArrayRef<PlaceRule> rules);

} // namespace lathe::passes
