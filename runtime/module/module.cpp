#include "runtime/module/module.h"

#include <algorithm>
#include <chrono>

#include "base/status.h"
#include "runtime/module/check.h"

namespace lathe::runtime {
namespace {

absl::StatusOr<const artifact::Target *> targetNamed(const artifact::Artifact &artifact,
                                                     const std::string &name) {
  std::string known;
  for (const artifact::Target &target : artifact.manifest().targets) {
    if (target.name == name)
      return &target;
    absl::StrAppend(&known, known.empty() ? "" : ", ", target.name);
  }
  return absl::NotFoundError(
      absl::StrCat(artifact.path(), ": has no target '", name, "'; it has ", known));
}

} // namespace

absl::StatusOr<std::shared_ptr<Module>> Module::load(const std::string &path,
                                                     std::shared_ptr<Device> device,
                                                     const ModuleOptions &options) {
  auto start = std::chrono::steady_clock::now();
  LATHE_ASSIGN_OR_RETURN(artifact::Artifact artifact, artifact::Artifact::open(path));
  std::shared_ptr<Module> module(new Module(std::move(artifact)));
  module->device_ = std::move(device);
  const artifact::Target *target = nullptr;
  if (options.target.empty()) {
    LATHE_ASSIGN_OR_RETURN(target, chooseTarget(module->artifact_, *module->device_));
  } else {
    LATHE_ASSIGN_OR_RETURN(target, targetNamed(module->artifact_, options.target));
  }
  LATHE_RETURN_IF_ERROR(module->verifySmallSections());
  absl::Status loaded = module->loadTarget(*target);
  if (!loaded.ok())
    return prefixed(loaded, absl::StrCat(path, ": target '", target->name, "': "));
  std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  module->load_seconds_ = passed.count();
  return module;
}

absl::Status Module::verifySmallSections() const {
  for (const artifact::Section &section : manifest().sections)
    if (isSmallSection(manifest(), section))
      LATHE_RETURN_IF_ERROR(artifact_.verifySection(section.name));
  return absl::OkStatus();
}

absl::Status Module::loadTarget(const artifact::Target &target) {
  target_ = &target;
  LATHE_RETURN_IF_ERROR(artifact_.verifySection(target.code_section));
  LATHE_ASSIGN_OR_RETURN(absl::Span<const uint8_t> code, artifact_.section(target.code_section));
  std::vector<uint64_t> offsets;
  for (const artifact::PackedWeight &weight : target.weights)
    offsets.push_back(weight.offset);
  LATHE_ASSIGN_OR_RETURN(executable_, device_->load(code, target.compatibility, offsets));
  absl::Span<const uint8_t> weights;
  if (!target.weights_section.empty()) {
    LATHE_ASSIGN_OR_RETURN(weights, artifact_.section(target.weights_section));
  }
  LATHE_ASSIGN_OR_RETURN(weights_, device_->import(weights));
  return absl::OkStatus();
}

const artifact::Step *Module::findStep(absl::string_view name) const {
  auto found = std::find_if(target_->steps.begin(), target_->steps.end(),
                            [&](const artifact::Step &step) { return step.name == name; });
  return found == target_->steps.end() ? nullptr : &*found;
}

absl::StatusOr<std::string> Module::text(absl::string_view section) const {
  const uint64_t limit = 256u << 20;
  LATHE_ASSIGN_OR_RETURN(absl::Span<const uint8_t> bytes, artifact_.section(section));
  if (bytes.size() > limit)
    return absl::InvalidArgumentError(absl::StrCat(artifact_.path(), ": section '", section,
                                                   "' has ", bytes.size(), " bytes, more than the ",
                                                   limit, " that a text may have"));
  return std::string(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

} // namespace lathe::runtime
