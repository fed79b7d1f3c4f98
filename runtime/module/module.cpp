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

// The target asked for, on the devices that run it best, whatever they lack; or the best one.
absl::StatusOr<TargetChoice> chosen(const artifact::Artifact &artifact, Devices devices,
                                    const std::string &target_name) {
  if (target_name.empty())
    return chooseTarget(artifact, devices);
  LATHE_ASSIGN_OR_RETURN(const artifact::Target *target, targetNamed(artifact, target_name));
  LATHE_ASSIGN_OR_RETURN(TargetVerdict verdict, judgeTarget(*target, devices));
  return TargetChoice{target, std::move(verdict.devices)};
}

} // namespace

absl::StatusOr<std::shared_ptr<Module>> Module::load(const std::string &path,
                                                     std::shared_ptr<Device> device,
                                                     const ModuleOptions &options) {
  auto start = std::chrono::steady_clock::now();
  LATHE_ASSIGN_OR_RETURN(artifact::Artifact artifact, artifact::Artifact::open(path));
  std::shared_ptr<Module> module(new Module(std::move(artifact)));
  std::vector<std::shared_ptr<Device>> devices = {std::move(device)};
  devices.insert(devices.end(), options.more_devices.begin(), options.more_devices.end());
  LATHE_ASSIGN_OR_RETURN(TargetChoice choice, chosen(module->artifact_, devices, options.target));
  LATHE_RETURN_IF_ERROR(module->verifySmallSections());
  std::vector<std::shared_ptr<Device>> used;
  for (size_t index : choice.devices)
    used.push_back(devices[index]);
  absl::Status loaded = module->loadTarget(*choice.target, used);
  if (!loaded.ok())
    return prefixed(loaded, absl::StrCat(path, ": target '", choice.target->name, "': "));
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

template <typename Code>
absl::StatusOr<Module::OnDevice> Module::loadCode(const Code &code,
                                                  std::shared_ptr<Device> device) const {
  OnDevice loaded;
  loaded.device = std::move(device);
  LATHE_RETURN_IF_ERROR(artifact_.verifySection(code.code_section));
  LATHE_ASSIGN_OR_RETURN(absl::Span<const uint8_t> bytes, artifact_.section(code.code_section));
  std::vector<uint64_t> offsets;
  for (const artifact::PackedWeight &weight : code.weights)
    offsets.push_back(weight.offset);
  LATHE_ASSIGN_OR_RETURN(loaded.executable,
                         loaded.device->load(bytes, code.compatibility, offsets));
  absl::Span<const uint8_t> weights;
  if (!code.weights_section.empty()) {
    LATHE_ASSIGN_OR_RETURN(weights, artifact_.section(code.weights_section));
  }
  LATHE_ASSIGN_OR_RETURN(loaded.weights, loaded.device->import(weights));
  return loaded;
}

absl::Status Module::loadTarget(const artifact::Target &target,
                                absl::Span<const std::shared_ptr<Device>> devices) {
  target_ = &target;
  LATHE_ASSIGN_OR_RETURN(OnDevice own, loadCode(target, devices[0]));
  devices_.push_back(std::move(own));
  for (size_t i = 0; i < target.parts.size(); ++i) {
    auto part = loadCode(target.parts[i], devices[i + 1]);
    if (!part.ok())
      return prefixed(part.status(), absl::StrCat("part '", target.parts[i].name, "': "));
    devices_.push_back(*std::move(part));
  }
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
