// "expert_ffn=x86,layers.0/*=npu:x": which ops a user wants where.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mlir/IR/Operation.h"
#include "mlir/Support/LLVM.h"

namespace lathe::passes {

struct PlaceRule {
  std::string pattern, target;
};

// In their order. On failure `error` says what is wrong with which rule; `targets` are the known
// ones.
mlir::FailureOr<std::vector<PlaceRule>>
parsePlaceRules(llvm::StringRef text, llvm::ArrayRef<std::string> targets, std::string &error);

// Whether `text` is what `pattern` says; `*` stands for any run of characters.
bool matchesPattern(llvm::StringRef pattern, llvm::StringRef text);

// The first rule that holds for the op.
const PlaceRule *ruleFor(mlir::Operation *op, llvm::ArrayRef<PlaceRule> rules);

} // namespace lathe::passes
