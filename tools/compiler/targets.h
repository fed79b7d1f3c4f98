// Which feature levels a compilation is for.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/x86/level.h"

namespace lathe::compiler {

// Names as `--target` takes them: "x86" is every level, none at all this machine's level and every
// lower one, of both those alone that gain something: a level for integers is left out where
// products have no `integer_rows`. Names of plugins' targets, which hold a ':', are left alone. The
// best level first, each once. INVALID_ARGUMENT names the known ones.
absl::StatusOr<std::vector<const x86::Level *>> chooseTargets(const std::vector<std::string> &names,
                                                              bool integer_rows);

} // namespace lathe::compiler
