// Stands in for import_folder.cpp in a tree without recipes.
#include "absl/strings/str_cat.h"

#include "tools/lathe-interpret/import_folder.h"

namespace lathe::interpret {

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
importFolder(mlir::MLIRContext &, const frontend::Checkpoint &checkpoint) {
  return absl::UnimplementedError(absl::StrCat(
      checkpoint.folder(), ": built without recipes in models/; give IR and --weights instead"));
}

} // namespace lathe::interpret
