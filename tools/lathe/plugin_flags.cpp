#include "tools/lathe/plugin_flags.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/status.h"
#include "runtime/plugin/probe.h"
#include "tools/lathe/console.h"

namespace lathe::cli {
namespace {

std::string besideThisProgram(absl::string_view name) {
  std::error_code error;
  auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "lib" / absl::StrCat("liblathe_", name, ".so"))
      .string();
}

bool isBareName(absl::string_view text) {
  return !absl::StrContains(text, '/') && !absl::EndsWith(text, ".so");
}

} // namespace

absl::StatusOr<PluginFlag> parsePluginFlag(const std::string &value) {
  std::vector<std::string> parts = absl::StrSplit(value, ',');
  PluginFlag flag;
  flag.path = isBareName(parts[0]) ? besideThisProgram(parts[0]) : parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    std::pair<std::string, std::string> option = absl::StrSplit(parts[i], absl::MaxSplits('=', 1));
    if (option.first.empty() || !absl::StrContains(parts[i], '='))
      return absl::InvalidArgumentError(absl::StrCat("--plugin ", value, ": '", parts[i],
                                                     "' is no option; one is spelt NAME=VALUE"));
    flag.options.insert(std::move(option));
  }
  return flag;
}

void addPluginFlag(CLI::App &app, std::vector<std::string> &values) {
  addTexts(app, "--plugin", values, "SO",
           "a library that brings devices and targets, with its options:\n"
           "PATH[,NAME=VALUE...], or the NAME of one that came with this\n"
           "program; repeatable");
}

absl::StatusOr<Plugins> loadPlugins(const std::vector<std::string> &values) {
  Plugins plugins;
  for (const std::string &value : values) {
    LATHE_ASSIGN_OR_RETURN(PluginFlag flag, parsePluginFlag(value));
    runtime::PluginOptions options;
    options.options = flag.options;
    options.log = [](absl::string_view line) { printNote(line); };
    LATHE_ASSIGN_OR_RETURN(auto plugin, runtime::loadPlugin(flag.path, options));
    for (const auto &other : plugins)
      if (other->name() == plugin->name())
        return absl::InvalidArgumentError(absl::StrCat("--plugin ", value, ": ", other->path(),
                                                       " is named '", plugin->name(),
                                                       "', too; one plugin of a name can be used"));
    plugins.push_back(std::move(plugin));
  }
  return plugins;
}

} // namespace lathe::cli
