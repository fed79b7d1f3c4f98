// `--plugin`: the shared libraries that bring devices and targets.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "runtime/plugin/plugin.h"
#include "tools/lathe/flags.h"

namespace lathe::cli {

using Plugins = std::vector<std::shared_ptr<runtime::Plugin>>;

// One value of `--plugin`: "PATH", "PATH,NAME=VALUE,...", or "NAME" for lib/liblathe_NAME.so of
// this program.
struct PluginFlag {
  std::string path;
  std::map<std::string, std::string> options;
};
absl::StatusOr<PluginFlag> parsePluginFlag(const std::string &value);

void addPluginFlag(CLI::App &app, std::vector<std::string> &values);

// Each is tried in a process of its own first. INVALID_ARGUMENT: two of one name.
absl::StatusOr<Plugins> loadPlugins(const std::vector<std::string> &values);

} // namespace lathe::cli
