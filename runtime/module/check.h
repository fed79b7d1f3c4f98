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

// What a model may run on: the device that was asked for first, then others that are there. Of a
// model on several devices the first must be one.
using Devices = absl::Span<const std::shared_ptr<Device>>;

struct TargetVerdict {
  std::string target;
  Compatibility compatibility; // of its worst part
  std::vector<size_t> devices; // by index: the target's own, then one for each part; empty: none
};

struct CheckResult {
  Verdict verdict = Verdict::no;
  std::string target;                 // the one that would be taken; empty if none
  std::vector<TargetVerdict> targets; // in the artifact's order
  std::vector<std::string> reasons;   // a line each; empty when optimal
};

// `deep` compares the digests of all sections, weights included; otherwise only small ones are.
LATHE_RUNTIME_API CheckResult checkArtifact(const std::string &path, Devices devices, bool deep);

struct TargetChoice {
  const artifact::Target *target;
  std::vector<size_t> devices; // as in TargetVerdict
};
// The target that the devices run best; the first of equals. FAILED_PRECONDITION: none runs.
absl::StatusOr<TargetChoice> chooseTarget(const artifact::Artifact &artifact, Devices devices);
// Of one target, whatever there is beside it.
absl::StatusOr<TargetVerdict> judgeTarget(const artifact::Target &target, Devices devices);

// Whether load() checks the section's digest: all but code of other targets, weights and IR.
bool isSmallSection(const artifact::Manifest &manifest, const artifact::Section &section);

} // namespace lathe::runtime
