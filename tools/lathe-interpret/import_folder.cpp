#include "tools/lathe-interpret/import_folder.h"

#include "models/import.h"

namespace lathe::interpret {

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
importFolder(mlir::MLIRContext &context, const frontend::Checkpoint &checkpoint) {
  models::ImportOptions options;
  options.hash = false;
  return models::importCheckpoint(context, checkpoint, options);
}

} // namespace lathe::interpret
