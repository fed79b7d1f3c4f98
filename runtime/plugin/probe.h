// A new plugin is first tried in a process of its own: what crashes, hangs or ends the process
// there becomes one error here.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/export.h"
#include "runtime/plugin/plugin.h"

namespace lathe::runtime {

struct ProbeOptions {
  absl::Duration limit = absl::Seconds(20); // real devices take seconds to wake up
  std::string helper; // path of the lathe-probe program; empty: the one of this runtime
};

// Runs the helper program over the plugin: it is loaded, its devices are opened, its targets are
// read. FAILED_PRECONDITION: what went wrong, or that it crashed or ended the process;
// DEADLINE_EXCEEDED: that it did not come to an end.
LATHE_RUNTIME_API absl::Status probePlugin(const std::string &path, const PluginOptions &options,
                                           const ProbeOptions &probe = {});

// probePlugin, then Plugin::load.
LATHE_RUNTIME_API absl::StatusOr<std::shared_ptr<Plugin>>
loadPlugin(const std::string &path, const PluginOptions &options = {},
           const ProbeOptions &probe = {});

// The helper's side: does the work and writes what came out to `report`, a descriptor. `options`:
// NAME=VALUE each.
LATHE_RUNTIME_API int probeInThisProcess(const std::string &path, const PluginOptions &options,
                                         int report);

} // namespace lathe::runtime
