#include "tools/lathe-interpret/model.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "mlir/Parser/Parser.h"

#include "base/status.h"
#include "tools/lathe-interpret/checkpoint_weights.h"
#include "tools/lathe-interpret/import_folder.h"

namespace lathe::interpret {

namespace {

absl::Status openWeights(Model &model, const std::string &folder) {
  LATHE_ASSIGN_OR_RETURN(frontend::Checkpoint checkpoint, frontend::Checkpoint::open(folder));
  model.checkpoint = std::make_unique<frontend::Checkpoint>(std::move(checkpoint));
  model.weights = std::make_unique<reference::CheckpointWeights>(*model.checkpoint);
  return absl::OkStatus();
}

absl::StatusOr<Model> importModel(mlir::MLIRContext &context, const std::string &folder,
                                  models::CacheElement cache) {
  Model model;
  LATHE_RETURN_IF_ERROR(openWeights(model, folder));
  LATHE_ASSIGN_OR_RETURN(model.module, importFolder(context, *model.checkpoint, cache));
  return model;
}

} // namespace

mlir::OwningOpRef<mlir::ModuleOp> readModule(mlir::MLIRContext &context, const std::string &path) {
  return mlir::parseSourceFile<mlir::ModuleOp>(path, &context);
}

absl::StatusOr<Model> openModel(mlir::MLIRContext &context, const std::string &path,
                                const std::string &weights, uint64_t seed,
                                models::CacheElement cache) {
  if (std::filesystem::is_directory(path))
    return importModel(context, path, cache);
  Model model;
  model.module = readModule(context, path);
  if (!model.module)
    return absl::InvalidArgumentError(absl::StrCat(path, ": could not be read"));
  model.weights = std::make_unique<reference::SeededWeights>(seed);
  if (!weights.empty())
    LATHE_RETURN_IF_ERROR(openWeights(model, weights));
  return model;
}

} // namespace lathe::interpret
