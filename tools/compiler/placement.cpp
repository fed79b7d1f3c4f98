#include "tools/compiler/placement.h"

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "backends/plugin/offers.h"
#include "backends/x86/annotate.h"
#include "backends/x86/offers.h"
#include "base/status.h"
#include "passes/partition/fallbacks.h"
#include "passes/partition/offers.h"
#include "runtime/device/error.h"
#include "runtime/plugin/plugin.h"
#include "tools/compiler/diagnostics.h"
#include "tools/compiler/sections.h"

namespace lathe::compiler {
namespace {

using mlir::func::FuncOp;

std::string knownTargets(const CompileOptions &options) {
  std::string known;
  for (const auto &plugin : options.plugins)
    for (const runtime::TargetProperties &target : plugin->targets())
      absl::StrAppend(&known, known.empty() ? "" : ", ", plugin->name(), ":", target.name);
  return known.empty() ? "none, for no plugin brings one (--plugin)" : known;
}

// Bits of a later header alone say nothing to this one.
absl::StatusOr<plugin::Target> verified(plugin::Target target) {
  if (target.takesOps() || target.takesTiles())
    return target;
  return absl::FailedPreconditionError(absl::StrCat(
      "target '", target.name, "' takes neither ops nor partitions nor tiles: the bits ",
      "of its lathe_target.takes are ", target.takes));
}

absl::StatusOr<plugin::Target> targetNamed(const std::string &name, const CompileOptions &options) {
  for (const auto &plugin : options.plugins)
    for (const runtime::TargetProperties &target : plugin->targets())
      if (name == absl::StrCat(plugin->name(), ":", target.name))
        return verified({name, plugin->compiler(), target.handle, target.transfer_bandwidth,
                         target.transfer_seconds, target.takes, target.tile_rows,
                         target.tile_columns});
  return absl::InvalidArgumentError(absl::StrCat(
      "target '", name, "' is not known; those of plugins are ", knownTargets(options)));
}

x86::TensorLookup lookupIn(const frontend::Checkpoint &checkpoint) {
  return [&](llvm::StringRef name) -> absl::StatusOr<absl::Span<const uint8_t>> {
    LATHE_ASSIGN_OR_RETURN(const frontend::Tensor *tensor, checkpoint.require(name.str()));
    return tensor->bytes;
  };
}

// What every target takes for every op, written on the module.
absl::Status collectOffers(mlir::ModuleOp module, const x86::Level &level,
                           const std::vector<plugin::Target> &targets) {
  x86::setOffers(module, level);
  for (const plugin::Target &target : targets)
    LATHE_RETURN_IF_ERROR(target.takesTiles() ? plugin::setOffersOfTiles(module, target)
                                              : plugin::setOffers(module, target));
  return absl::OkStatus();
}

absl::Status partition(mlir::ModuleOp module, const CompileOptions &options,
                       const passes::StageHook &hook) {
  CollectedDiagnostics diagnostics(*module.getContext());
  if (mlir::failed(passes::partition(module, options.place, hook)))
    return diagnostics.status("placing ops");
  for (auto step : module.getOps<FuncOp>())
    x86::annotateForPlanning(step);
  if (mlir::failed(passes::plan(module, hook)))
    return diagnostics.status("planning memory of a placed model");
  return absl::OkStatus();
}

// Those of one target, of all steps.
std::vector<passes::Part> partsOn(const std::string &target, const Placement &placement) {
  std::vector<passes::Part> found;
  for (const auto &parts : placement.parts)
    for (const passes::Part &part : parts)
      if (part.target == target)
        found.push_back(part);
  return found;
}

absl::Status lowerToTiles(mlir::ModuleOp module, const plugin::Target &target) {
  CollectedDiagnostics diagnostics(*module.getContext());
  if (mlir::failed(passes::tiles(module, target.tile_rows, target.tile_columns)))
    return diagnostics.status("making kernels over tiles");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<OnTarget>> compileOn(const plugin::Target &target,
                                                    const std::vector<passes::Part> &parts,
                                                    const frontend::Checkpoint &checkpoint,
                                                    const CompileOptions &options) {
  mlir::OwningOpRef<mlir::ModuleOp> module = passes::extract(parts);
  if (target.takesTiles())
    LATHE_RETURN_IF_ERROR(lowerToTiles(*module, target));
  LATHE_ASSIGN_OR_RETURN(std::string bytecode, bytecodeOf(*module));
  auto made = std::make_unique<OnTarget>(target, std::move(module), std::move(bytecode),
                                         lookupIn(checkpoint));
  auto progress = [&](double done) {
    if (options.progress)
      options.progress(absl::StrCat("compiling for ", target.name),
                       static_cast<uint64_t>(done * 100), 100);
    return !(options.cancelled && options.cancelled->load());
  };
  LATHE_ASSIGN_OR_RETURN(made->code,
                         plugin::Code::compile(target, *made->view.program(), progress));
  return made;
}

// With --strict, what falls back to home is an error.
absl::Status verifyStrict(mlir::ModuleOp module, const CompileOptions &options) {
  if (!options.strict)
    return absl::OkStatus();
  std::string error, list;
  auto rules = passes::parsePlaceRules(options.place, passes::targetsOf(module), error);
  if (mlir::failed(rules))
    return absl::InvalidArgumentError(error);
  for (const auto &[op, count, why] : passes::fallbacksOf(module, *rules))
    absl::StrAppend(&list, "\n  ", op, " (", count, "): ", why);
  if (list.empty())
    return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "--strict: no other target takes these ops, which would run on ", passes::homeOf(module), ":",
      list, "\n--place 'OP=", passes::homeOf(module), "' says of an op that this is meant"));
}

absl::StatusOr<Placement> placeOn(mlir::ModuleOp optimised, const x86::Level &level,
                                  const std::vector<plugin::Target> &targets,
                                  const CompileOptions &options, const passes::StageHook &hook) {
  Placement placement;
  placement.module = optimised.clone();
  LATHE_RETURN_IF_ERROR(collectOffers(*placement.module, level, targets));
  LATHE_RETURN_IF_ERROR(partition(*placement.module, options, hook));
  LATHE_RETURN_IF_ERROR(verifyStrict(*placement.module, options));
  for (auto step : placement.module->getOps<FuncOp>())
    placement.parts.push_back(passes::partsOf(step));
  return placement;
}

// Whether the model can do without the target: nobody insists on it.
bool isOptional(const plugin::Target &target, const CompileOptions &options) {
  return !options.strict && !absl::StrContains(options.place, target.name);
}

// The number of a target that took each op and refuses them together; none where all is well.
absl::StatusOr<std::optional<size_t>> compileParts(Placement &placement,
                                                   const std::vector<plugin::Target> &targets,
                                                   const frontend::Checkpoint &checkpoint,
                                                   const CompileOptions &options) {
  for (size_t i = 0; i < targets.size(); ++i) {
    const std::vector<passes::Part> parts = partsOn(targets[i].name, placement);
    if (parts.empty())
      continue;
    auto made = compileOn(targets[i], parts, checkpoint, options);
    if (absl::IsFailedPrecondition(made.status()) && isOptional(targets[i], options)) {
      if (options.note)
        options.note(absl::StrCat(made.status().message(), "; the model is placed without it"));
      return i;
    }
    LATHE_RETURN_IF_ERROR(made.status());
    placement.targets.push_back(*std::move(made));
  }
  return std::nullopt;
}

} // namespace

OnTarget::OnTarget(plugin::Target target, mlir::OwningOpRef<mlir::ModuleOp> parts,
                   std::string bytecode, x86::TensorLookup lookup)
    : target(std::move(target)), module(std::move(parts)), reader(std::move(lookup)),
      view(*module, std::move(bytecode),
           [this](ir::WeightOp weight, bool scales, uint64_t offset, uint64_t size, void *out) {
             return runtime::giveError(reader.read(weight, scales, offset, size, out));
           }) {}

absl::StatusOr<std::vector<plugin::Target>> pluginTargets(const CompileOptions &options) {
  std::vector<plugin::Target> targets;
  for (const std::string &name : options.targets) {
    if (!absl::StrContains(name, ':'))
      continue;
    LATHE_ASSIGN_OR_RETURN(plugin::Target target, targetNamed(name, options));
    if (absl::c_none_of(targets, [&](const auto &other) { return other.name == target.name; }))
      targets.push_back(std::move(target));
  }
  return targets;
}

absl::StatusOr<Placement> place(mlir::ModuleOp optimised, const x86::Level &level,
                                const std::vector<plugin::Target> &targets,
                                const frontend::Checkpoint &checkpoint,
                                const CompileOptions &options, const passes::StageHook &hook) {
  for (std::vector<plugin::Target> left = targets;;) {
    LATHE_ASSIGN_OR_RETURN(Placement placement, placeOn(optimised, level, left, options, hook));
    LATHE_ASSIGN_OR_RETURN(auto refuses, compileParts(placement, left, checkpoint, options));
    if (!refuses)
      return placement;
    left.erase(left.begin() + *refuses);
  }
}

} // namespace lathe::compiler
