// lathe-opt: reads IR, runs passes, prints IR.
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

#include "ir/lathe/dialect.h"
#include "ir/tile/dialect.h"
#include "passes/pipeline.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::func::FuncDialect, lathe::ir::LatheDialect, lathe::tile::TileDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  lathe::passes::registerPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Lathe's optimiser driver\n", registry));
}
