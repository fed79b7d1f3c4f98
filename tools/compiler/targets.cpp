#include "tools/compiler/targets.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "runtime/cpu/features.h"

namespace lathe::compiler {
namespace {

std::string knownTargets() {
  std::string text = "x86 (every level)";
  for (const x86::Level &level : x86::levels())
    absl::StrAppend(&text, ", ", level.name.str());
  return text;
}

// The levels are sorted: as many of the first ones as this machine's CPU fulfils.
std::vector<const x86::Level *> levelsOfThisMachine() {
  size_t count = std::max<size_t>(runtime::CpuFeatures::ofThisMachine().levelCount(), 1);
  std::vector<const x86::Level *> result;
  for (const x86::Level &level : x86::levels().take_front(count))
    result.push_back(&level);
  return result;
}

absl::Status add(const std::string &name, std::vector<const x86::Level *> &chosen) {
  if (name == "x86") {
    for (const x86::Level &level : x86::levels())
      chosen.push_back(&level);
    return absl::OkStatus();
  }
  const x86::Level *level = x86::findLevel(name);
  if (!level)
    return absl::InvalidArgumentError(
        absl::StrCat("target '", name, "' is not known; the known ones are ", knownTargets()));
  chosen.push_back(level);
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<std::vector<const x86::Level *>>
chooseTargets(const std::vector<std::string> &names) {
  std::vector<const x86::Level *> chosen;
  for (const std::string &name : names)
    if (!absl::StrContains(name, ':')) // those are of plugins
      LATHE_RETURN_IF_ERROR(add(name, chosen));
  if (chosen.empty())
    chosen = levelsOfThisMachine();
  std::sort(chosen.begin(), chosen.end(),
            std::greater<>()); // they stand in one array, the best last
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

} // namespace lathe::compiler
