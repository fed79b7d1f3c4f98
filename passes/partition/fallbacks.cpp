#include "passes/partition/fallbacks.h"

#include "passes/partition/offers.h"

namespace lathe::passes {

// Nothing where one of the targets takes the op.
static std::optional<std::string> refusals(mlir::Operation *op, mlir::ModuleOp module) {
  std::string why;
  for (const auto &[target, transfer] : transfersOf(module)) {
    const std::optional<Offer> offer = offerOf(op, target);
    if (!offer || offer->takes)
      return std::nullopt;
    why += (why.empty() ? "" : "; ") + target + ": " + offer->why;
  }
  return why;
}

static void add(std::vector<Fallback> &fallbacks, std::string op, std::string why) {
  auto known = llvm::find_if(
      fallbacks, [&](const Fallback &other) { return other.op == op && other.why == why; });
  if (known == fallbacks.end())
    fallbacks.push_back({std::move(op), 1, std::move(why)});
  else
    ++known->count;
}

std::vector<Fallback> fallbacksOf(mlir::ModuleOp module, llvm::ArrayRef<PlaceRule> rules) {
  std::vector<Fallback> fallbacks;
  for (auto [op, rows] : placeableOps(module)) {
    if (!placeOf(op).empty() || ruleFor(op, rules))
      continue;
    if (std::optional<std::string> why = refusals(op, module); why && !why->empty())
      add(fallbacks, op->getName().stripDialect().str(), *std::move(why));
  }
  return fallbacks;
}

} // namespace lathe::passes
