#include "models/import.h"

#include <algorithm>
#include <cmath>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"

#include "base/status.h"
#include "ir/lathe/dialect.h"
#include "models/account.h"
#include "models/blocks/decoder.h"
#include "models/hash.h"
#include "models/recipe.h"
#include "models/step.h"

namespace lathe::models {

namespace {

using frontend::Checkpoint;
using frontend::ConfigReader;
using frontend::RopeConfig;
using frontend::RopeKind;

// Positions are i32.
constexpr int64_t kMaxPositions = INT32_MAX;

// Rope that is stretched reaches further than max_position_embeddings where that is the length
// before stretching, as in configs to which a user added yarn.
int64_t longestContext(const RopeConfig &rope) {
  const bool stretched = rope.kind != RopeKind::plain && rope.kind != RopeKind::dynamic;
  const double reach = stretched ? rope.factor * rope.original_max_position_embeddings : 0;
  const double longest = std::max<double>(reach, rope.max_position_embeddings);
  return static_cast<int64_t>(std::min<double>(longest, kMaxPositions));
}

absl::StatusOr<int64_t> chooseContext(const Checkpoint &checkpoint, const RopeConfig &rope,
                                      int64_t wanted) {
  if (wanted == 0)
    return std::min(rope.defaultMaxContext(), kMaxPositions);
  if (wanted < 1 || wanted > longestContext(rope))
    return absl::InvalidArgumentError(absl::StrCat(checkpoint.folder(), ": a context of ", wanted,
                                                   " was asked for; it should be from 1 to ",
                                                   longestContext(rope), ", by config.json"));
  return wanted;
}

absl::Status describe(const Checkpoint &checkpoint, Imported &imported) {
  LATHE_ASSIGN_OR_RETURN(const ConfigReader config, checkpoint.config());
  LATHE_ASSIGN_OR_RETURN(const Recipe *recipe, findRecipe(config));
  LATHE_ASSIGN_OR_RETURN(const auto names, config.strings("architectures"));
  LATHE_ASSIGN_OR_RETURN(imported.model_type, config.stringOr("model_type", ""));
  imported.architecture = names.empty() ? "" : names[0];
  imported.family = std::string(recipe->family);
  Keys keys(config);
  LATHE_ASSIGN_OR_RETURN(imported.decoder, recipe->describe(keys));
  LATHE_RETURN_IF_ERROR(config.finish());
  imported.assumed = keys.assumed();
  return absl::OkStatus();
}

// Some files of tied models say nothing in their config, and have no head.
void tieWhereHeadIsMissing(const Checkpoint &checkpoint, Imported &imported) {
  if (imported.decoder.tied || checkpoint.find("lm_head.weight"))
    return;
  imported.decoder.tied = true;
  imported.assumed.push_back("lm_head.weight is not in the file: the head is the embedding");
}

mlir::DictionaryAttr modelAttribute(mlir::MLIRContext &context, const Checkpoint &checkpoint,
                                    const Imported &imported) {
  mlir::Builder builder(&context);
  const Decoder &decoder = imported.decoder;
  const bool ue8m0 = decoder.quantization.activationScalesArePowersOfTwo();
  mlir::NamedAttrList list;
  list.set("family", builder.getStringAttr(imported.family));
  list.set("model", builder.getStringAttr(checkpoint.name()));
  list.set("vocab_size", builder.getI64IntegerAttr(decoder.vocab_size));
  list.set("hidden_size", builder.getI64IntegerAttr(decoder.hidden_size));
  list.set("num_layers", builder.getI64IntegerAttr(decoder.layers.size()));
  list.set("max_context", builder.getI64IntegerAttr(imported.max_context));
  list.set("parameters", builder.getI64IntegerAttr(imported.parameters));
  list.set("activation_scales", builder.getStringAttr(ue8m0 ? "ue8m0" : "f32"));
  return list.getDictionary(&context);
}

// What a recipe let through that the dialect does not: our mistake, but not a crash.
absl::Status verifyModule(mlir::ModuleOp module, const Checkpoint &checkpoint) {
  std::string text;
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    text += (text.empty() ? "" : "; ") + diagnostic.str();
    return mlir::success();
  });
  if (mlir::failed(mlir::verify(module)))
    return absl::InternalError(
        absl::StrCat(checkpoint.folder(), ": the IR made of it is not valid: ", text));
  return absl::OkStatus();
}

mlir::Type typeOf(mlir::MLIRContext &context, CacheElement element) {
  if (element == CacheElement::bf16)
    return mlir::BFloat16Type::get(&context);
  return mlir::Float32Type::get(&context);
}

absl::Status build(mlir::MLIRContext &context, const Checkpoint &checkpoint, CacheElement cache,
                   Imported &imported) {
  imported.module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  Weights weights(context, checkpoint, imported.decoder.quantization);
  Step step(*imported.module, weights, imported.max_context, typeOf(context, cache));
  LATHE_RETURN_IF_ERROR(buildDecoder(step, imported.decoder));
  LATHE_ASSIGN_OR_RETURN(imported.left_aside, accountForTensors(weights, imported.decoder));
  imported.parameters = weights.parameters();
  imported.formats = weights.formats();
  (*imported.module)->setAttr("lathe.model", modelAttribute(context, checkpoint, imported));
  return verifyModule(*imported.module, checkpoint);
}

} // namespace

absl::StatusOr<Imported> importWithFindings(mlir::MLIRContext &context,
                                            const Checkpoint &checkpoint,
                                            const ImportOptions &options) {
  context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
  Imported imported;
  LATHE_RETURN_IF_ERROR(describe(checkpoint, imported));
  tieWhereHeadIsMissing(checkpoint, imported);
  LATHE_ASSIGN_OR_RETURN(imported.max_context,
                         chooseContext(checkpoint, imported.decoder.rope, options.max_context));
  LATHE_RETURN_IF_ERROR(build(context, checkpoint, options.cache, imported));
  if (options.hash)
    LATHE_RETURN_IF_ERROR(hashWeights(*imported.module, checkpoint, options.progress));
  return imported;
}

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> importCheckpoint(mlir::MLIRContext &context,
                                                                   const Checkpoint &checkpoint,
                                                                   const ImportOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Imported imported, importWithFindings(context, checkpoint, options));
  return std::move(imported.module);
}

} // namespace lathe::models
