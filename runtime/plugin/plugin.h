// A shared library behind runtime/abi/plugin.h: loaded, asked who it is, and looked at before any
// function of it is called.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/abi/plugin.h"
#include "runtime/device/device.h"
#include "runtime/export.h"

namespace lathe::runtime {

struct PluginOptions {
  std::map<std::string, std::string> options;      // what the plugin may ask the host for
  std::function<void(absl::string_view line)> log; // of warnings and errors; may be empty
  int threads = 0; // that the plugin may use through the host; 0: one for each core
};

// A target as the plugin describes it.
struct TargetProperties {
  std::string name, description, compatibility, details;
  uint64_t memory_bytes = 0;
  double transfer_bandwidth = 0, transfer_seconds = 0; // 0 where unknown
  uint32_t takes = 0;                                  // bits of LATHE_TAKES_*
  const lathe_target *handle = nullptr;                // for calls of the compile half
};

// Immutable once loaded and thread-safe. Devices that it opens keep it loaded.
class LATHE_RUNTIME_API Plugin : public std::enable_shared_from_this<Plugin> {
public:
  // Loads and enters it in this process: what crashes takes the process with it. loadPlugin of
  // probe.h tries that in another process first. NOT_FOUND: no such file. FAILED_PRECONDITION: no
  // plugin, or one of another major; the message says which. A library that is in use already is
  // shared, with its log and threads, if the options are the same, and refused if they are not.
  static absl::StatusOr<std::shared_ptr<Plugin>> load(const std::string &path,
                                                      const PluginOptions &options = {});
  // One that is a part of this program; `name` stands for its path in messages.
  static absl::StatusOr<std::shared_ptr<Plugin>>
  linked(const std::string &name, lathe_plugin_entry_fn entry, const PluginOptions &options = {});
  ~Plugin();
  Plugin(const Plugin &) = delete;
  Plugin &operator=(const Plugin &) = delete;

  const std::string &path() const { return path_; }
  const std::string &name() const { return name_; } // "npu"
  const std::string &version() const { return version_; }
  const std::string &description() const { return description_; }

  // Devices that openDevice takes; 0 without a device half.
  uint32_t deviceCount() const { return device_count_; }
  absl::StatusOr<std::shared_ptr<Device>> openDevice(uint32_t index);

  const std::vector<TargetProperties> &targets() const { return targets_; }
  // As much as the plugin's table has; NULL without a compile half.
  const lathe_compile_api *compiler() const { return compiler_.compile ? &compiler_ : nullptr; }

private:
  struct Host; // what the plugin is given

  Plugin(std::string path, const PluginOptions &options);
  absl::StatusOr<std::shared_ptr<Plugin>> shared(const PluginOptions &options);
  absl::StatusOr<lathe_plugin_entry_fn> open();
  absl::Status start(lathe_plugin_entry_fn entry);
  absl::Status enter(lathe_plugin_entry_fn entry);
  absl::Status readIdentity();
  absl::Status readDevices();
  absl::Status readTargets();
  absl::Status wrong(absl::string_view what) const;

  std::string path_, name_, version_, description_;
  std::unique_ptr<Host> host_;
  void *library_ = nullptr;
  lathe_plugin plugin_ = {};
  std::unique_ptr<DeviceTable> devices_;
  uint32_t device_count_ = 0;
  lathe_compile_api compiler_ = {}; // zero without a compile half
  std::vector<TargetProperties> targets_;
};

} // namespace lathe::runtime
