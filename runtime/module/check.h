// Whether an artifact fits a device, judged without loading any of its code.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "artifact/reader.h"
#include "runtime/device/device.h"
#include "runtime/export.h"

namespace lathe::runtime {

// OPTIMAL: a target was made for this device's level. USABLE: one runs, a better level is possible.
// RECOMPILE: the file is sound but no target of it runs here. NO: the file is not usable at all.
enum class Verdict { optimal, usable, recompile, no };
LATHE_RUNTIME_API const char *verdictName(Verdict verdict); // "OPTIMAL", ...

struct TargetVerdict {
  std::string target;
  Compatibility compatibility;
};

struct CheckResult {
  Verdict verdict = Verdict::no;
  std::string target;                 // the one that would be taken; empty if none
  std::vector<TargetVerdict> targets; // in the artifact's order
  std::vector<std::string> reasons;   // a line each; empty when optimal
};

// `deep` compares the digests of all sections, weights included; otherwise only small ones are.
LATHE_RUNTIME_API CheckResult checkArtifact(const std::string &path, Device &device, bool deep);

// The target that the device runs best; the first of equals. FAILED_PRECONDITION: none runs.
absl::StatusOr<const artifact::Target *> chooseTarget(const artifact::Artifact &artifact,
                                                      Device &device);

// Whether load() checks the section's digest: all but code of other targets, weights and IR.
bool isSmallSection(const artifact::Manifest &manifest, const artifact::Section &section);

} // namespace lathe::runtime
