#include "passes/partition/place_rules.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include "passes/explain.h"

namespace lathe::passes {

mlir::FailureOr<std::vector<PlaceRule>>
parsePlaceRules(llvm::StringRef text, llvm::ArrayRef<std::string> targets, std::string &error) {
  std::vector<PlaceRule> rules;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    auto [pattern, target] = part.trim().rsplit('=');
    if (pattern.empty() || target.empty()) {
      error = ("rule '" + part + "' is not of the form PATTERN=TARGET").str();
      return mlir::failure();
    }
    if (!llvm::is_contained(targets, target.str())) {
      error = ("rule '" + part + "' names the target '" + target + "'; the targets are " +
               llvm::join(targets, ", "))
                  .str();
      return mlir::failure();
    }
    rules.push_back({pattern.str(), target.str()});
  }
  return rules;
}

bool matchesPattern(llvm::StringRef pattern, llvm::StringRef text) {
  auto [head, rest] = pattern.split('*');
  if (head.size() == pattern.size())
    return pattern == text;
  if (!text.consume_front(head))
    return false;
  for (size_t skipped = 0; skipped <= text.size(); ++skipped)
    if (matchesPattern(rest, text.drop_front(skipped)))
      return true;
  return false;
}

// What an op is called: its own name, then those of the ops that were fused into it.
static llvm::ArrayRef<llvm::StringLiteral> namesOf(llvm::StringRef name) {
  static constexpr llvm::StringLiteral experts[] = {"fused_experts", "moe_route", "moe_dispatch",
                                                    "expert_ffn", "moe_combine"};
  static constexpr llvm::StringLiteral linears[] = {"fused_linear", "linear", "scaled_matmul"};
  static constexpr llvm::StringLiteral gated[] = {"gated_linear", "linear", "scaled_matmul",
                                                  "swiglu"};
  static constexpr llvm::StringLiteral folds[] = {"absorb_query", "mla_attention"},
                                       expands[] = {"expand_value", "mla_attention"};
  return llvm::StringSwitch<llvm::ArrayRef<llvm::StringLiteral>>(name)
      .Case("fused_experts", experts)
      .Case("fused_linear", linears)
      .Case("gated_linear", gated)
      .Case("absorb_query", folds)
      .Case("expand_value", expands)
      .Default({});
}

static bool holds(const PlaceRule &rule, mlir::Operation *op) {
  const llvm::StringRef name = op->getName().stripDialect();
  const std::string place = placeInModel(op->getLoc());
  auto matches = [&](llvm::StringRef called) {
    return matchesPattern(rule.pattern, called) ||
           (!place.empty() && matchesPattern(rule.pattern, place + "/" + called.str()));
  };
  return matches(name) || llvm::any_of(namesOf(name), matches);
}

const PlaceRule *ruleFor(mlir::Operation *op, llvm::ArrayRef<PlaceRule> rules) {
  auto found = llvm::find_if(rules, [&](const PlaceRule &rule) { return holds(rule, op); });
  return found == rules.end() ? nullptr : &*found;
}

} // namespace lathe::passes
