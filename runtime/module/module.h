// An artifact with the code of one of its targets loaded onto a device.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "artifact/reader.h"
#include "runtime/device/device.h"
#include "runtime/export.h"

namespace lathe::runtime {

struct ModuleOptions {
  std::string target; // a target's name; empty: the best one for the devices
  std::vector<std::shared_ptr<Device>> more_devices; // that a model on several may use, too
};

// Immutable once loaded and thread-safe; sessions share it. Weights stay in the file's mapping
// where the device can import it. Digests of code and text sections are checked, those of weights
// are not (they may be many gigabytes): see checkArtifact.
class LATHE_RUNTIME_API Module {
public:
  // FAILED_PRECONDITION: no target runs on the device; the message says what each one lacks.
  static absl::StatusOr<std::shared_ptr<Module>>
  load(const std::string &path, std::shared_ptr<Device> device, const ModuleOptions &options = {});

  const artifact::Artifact &artifact() const { return artifact_; }
  const artifact::Manifest &manifest() const { return artifact_.manifest(); }
  const artifact::Target &target() const { return *target_; }
  // What stands on a device: 0 the target's own, i + 1 that of its part i.
  struct OnDevice {
    std::shared_ptr<Device> device;
    Executable executable;
    DeviceBuffer weights;
  };
  const std::vector<OnDevice> &devices() const { return devices_; }
  const std::shared_ptr<Device> &device() const { return devices_[0].device; }
  const DeviceBuffer &weights() const { return devices_[0].weights; }
  double loadSeconds() const { return load_seconds_; }

  // nullptr where the target has no such step.
  const artifact::Step *findStep(absl::string_view name) const;
  // The text of a section such as "tokenizer.json"; NOT_FOUND where there is none, INVALID_ARGUMENT
  // where it has more than 256 MiB.
  absl::StatusOr<std::string> text(absl::string_view section) const;

private:
  explicit Module(artifact::Artifact artifact) : artifact_(std::move(artifact)) {}
  absl::Status verifySmallSections() const;
  absl::Status loadTarget(const artifact::Target &target,
                          absl::Span<const std::shared_ptr<Device>> devices);
  template <typename Code>
  absl::StatusOr<OnDevice> loadCode(const Code &code, std::shared_ptr<Device> device) const;

  artifact::Artifact artifact_; // outlives the buffers that may be imported from it
  const artifact::Target *target_ = nullptr;
  std::vector<OnDevice> devices_;
  double load_seconds_ = 0;
};

} // namespace lathe::runtime
