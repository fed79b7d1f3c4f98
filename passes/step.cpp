#include "passes/step.h"

#include "ir/lathe/dialect.h"

namespace lathe::passes {

using mlir::func::FuncOp;

int64_t maxRows(FuncOp function) {
  auto rows = function->getAttrOfType<mlir::IntegerAttr>("lathe.max_rows");
  return rows ? rows.getInt() : 1;
}

std::string argumentName(FuncOp function, unsigned argument) {
  if (auto name = function.getArgAttrOfType<mlir::StringAttr>(argument, "lathe.name"))
    return name.str();
  static constexpr const char *of_a_step[kIndexArguments] = {"tokens", "slots", "positions",
                                                             "output_rows"};
  return argument < kIndexArguments ? of_a_step[argument] : "input" + std::to_string(argument);
}

bool isCache(mlir::Type type) { return mlir::isa<ir::LatentCacheType, ir::KvCacheType>(type); }

mlir::BlockArgument cacheArgument(mlir::Value cache) {
  while (mlir::Operation *giver = cache.getDefiningOp())
    cache = *llvm::find_if(giver->getOperands(),
                           [](mlir::Value operand) { return isCache(operand.getType()); });
  return mlir::cast<mlir::BlockArgument>(cache);
}

} // namespace lathe::passes
