#include "tools/compiler/targets.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "runtime/cpu/features.h"
#include "llvm/ADT/STLExtras.h"

namespace lathe::compiler {
namespace {

std::string knownTargets() {
  std::string text = "x86 (every level)";
  for (const x86::Level &level : x86::levels())
    absl::StrAppend(&text, ", ", level.name.str());
  return text;
}

bool runsHere(const x86::Level &level) {
  const auto needs = runtime::parseCpuNeeds(level.compatibility.str());
  return needs.ok() &&
         runtime::whatIsMissing(*needs, runtime::CpuFeatures::ofThisMachine()).empty();
}

using Chosen = std::vector<const x86::Level *>;

void addAll(llvm::ArrayRef<x86::Level> levels, bool integer_rows, Chosen &chosen) {
  for (const x86::Level &level : levels)
    if (integer_rows || !level.for_integers)
      chosen.push_back(&level);
}

// The levels are sorted, and a machine that has one has all before it. At least the lowest.
llvm::ArrayRef<x86::Level> levelsOfThisMachine() {
  const auto *end = llvm::find_if_not(x86::levels().drop_front(), runsHere);
  return {x86::levels().begin(), end};
}

absl::Status add(const std::string &name, bool integer_rows, Chosen &chosen) {
  if (name == "x86") {
    addAll(x86::levels(), integer_rows, chosen);
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

absl::StatusOr<std::vector<const x86::Level *>> chooseTargets(const std::vector<std::string> &names,
                                                              bool integer_rows) {
  Chosen chosen;
  for (const std::string &name : names)
    if (!absl::StrContains(name, ':')) // those are of plugins
      LATHE_RETURN_IF_ERROR(add(name, integer_rows, chosen));
  if (chosen.empty())
    addAll(levelsOfThisMachine(), integer_rows, chosen);
  std::sort(chosen.begin(), chosen.end(),
            std::greater<>()); // they stand in one array, the best last
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

} // namespace lathe::compiler
