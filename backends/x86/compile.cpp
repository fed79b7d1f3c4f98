#include "backends/x86/compile.h"

#include "backends/x86/emit.h"
#include "backends/x86/object.h"
#include "backends/x86/select/explain_products.h"
#include "backends/x86/select/selector.h"

namespace lathe::x86 {

static mlir::LogicalResult selectStep(mlir::func::FuncOp function, const Level &level,
                                      WeightPlan &weights, Program &program) {
  StepProgram step = emptyProgram(function);
  Selector selector(function, level, weights, program, step);
  for (mlir::Operation &op : function.getBody().front())
    if (mlir::failed(selector.select(&op)))
      return mlir::failure();
  explainProducts(function, level, program, step);
  program.steps.push_back(std::move(step));
  return mlir::success();
}

mlir::FailureOr<Program> selectProgram(mlir::ModuleOp module, const Level &level,
                                       WeightPlan &weights) {
  Program program;
  for (mlir::func::FuncOp function : module.getOps<mlir::func::FuncOp>())
    if (mlir::failed(selectStep(function, level, weights, program)))
      return mlir::failure();
  return program;
}

absl::StatusOr<std::string> makeCode(const Program &program, const Level &level,
                                     llvm::StringRef kernels) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module = emitProgram(context, program);
  return makeSharedObject(*module, level, kernels);
}

} // namespace lathe::x86
