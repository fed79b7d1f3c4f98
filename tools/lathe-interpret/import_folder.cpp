#include "tools/lathe-interpret/import_folder.h"

namespace lathe::interpret {

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
importFolder(mlir::MLIRContext &context, const frontend::Checkpoint &checkpoint,
             models::CacheElement cache) {
  models::ImportOptions options;
  options.hash = false;
  options.cache = cache;
  return models::importCheckpoint(context, checkpoint, options);
}

} // namespace lathe::interpret
