#include "runtime/module/check.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "base/status.h"

namespace lathe::runtime {
namespace {

absl::StatusOr<std::vector<TargetVerdict>> judgeTargets(const artifact::Artifact &artifact,
                                                        Device &device) {
  std::vector<TargetVerdict> verdicts;
  for (const artifact::Target &target : artifact.manifest().targets) {
    LATHE_ASSIGN_OR_RETURN(Compatibility compatibility, device.compatibility(target.compatibility));
    verdicts.push_back({target.name, std::move(compatibility)});
  }
  return verdicts;
}

// Index of the target to take, or -1. The first of equals: the artifact names the best first.
int bestOf(const std::vector<TargetVerdict> &verdicts) {
  int best = -1;
  for (int i = 0; i < static_cast<int>(verdicts.size()); ++i) {
    const Compatibility &mine = verdicts[i].compatibility;
    if (mine.verdict == Compatibility::Verdict::no)
      continue;
    if (best < 0 || mine.rank > verdicts[best].compatibility.rank)
      best = i;
  }
  return best;
}

std::vector<std::string> refusals(const std::vector<TargetVerdict> &verdicts) {
  std::vector<std::string> lines;
  for (const TargetVerdict &verdict : verdicts)
    lines.push_back(absl::StrCat("target '", verdict.target, "': ", verdict.compatibility.reason));
  return lines;
}

absl::Status verifyDigests(const artifact::Artifact &artifact, bool deep) {
  const artifact::Manifest &manifest = artifact.manifest();
  for (const artifact::Section &section : manifest.sections)
    if (deep || isSmallSection(manifest, section))
      LATHE_RETURN_IF_ERROR(artifact.verifySection(section.name));
  for (const artifact::Target &target : manifest.targets)
    LATHE_RETURN_IF_ERROR(artifact.verifySection(target.code_section));
  return absl::OkStatus();
}

CheckResult unusable(const absl::Status &status) {
  CheckResult result;
  result.reasons.push_back(std::string(status.message()));
  return result;
}

CheckResult judge(std::vector<TargetVerdict> verdicts, const Device &device) {
  CheckResult result;
  int best = bestOf(verdicts);
  if (best < 0) {
    result.verdict = Verdict::recompile;
    result.reasons = refusals(verdicts);
    result.reasons.push_back(
        absl::StrCat("compile the model again with --target ", device.properties().level));
  } else {
    const TargetVerdict &chosen = verdicts[best];
    bool optimal = chosen.compatibility.verdict == Compatibility::Verdict::optimal;
    result.verdict = optimal ? Verdict::optimal : Verdict::usable;
    result.target = chosen.target;
    if (!optimal)
      result.reasons.push_back(
          absl::StrCat("target '", chosen.target, "' ", chosen.compatibility.reason));
  }
  result.targets = std::move(verdicts);
  return result;
}

} // namespace

const char *verdictName(Verdict verdict) {
  switch (verdict) {
  case Verdict::optimal: return "OPTIMAL";
  case Verdict::usable: return "USABLE";
  case Verdict::recompile: return "RECOMPILE";
  case Verdict::no: return "NO";
  }
  return "NO";
}

bool isSmallSection(const artifact::Manifest &manifest, const artifact::Section &section) {
  auto belongsTo = [&](const artifact::Target &target) {
    return section.name == target.code_section || section.name == target.weights_section;
  };
  return section.name.rfind("ir.", 0) != 0 && section.name.rfind("weights", 0) != 0 &&
         section.name.rfind("code.", 0) != 0 &&
         std::none_of(manifest.targets.begin(), manifest.targets.end(), belongsTo);
}

absl::StatusOr<const artifact::Target *> chooseTarget(const artifact::Artifact &artifact,
                                                      Device &device) {
  LATHE_ASSIGN_OR_RETURN(std::vector<TargetVerdict> verdicts, judgeTargets(artifact, device));
  int best = bestOf(verdicts);
  if (best >= 0)
    return &artifact.manifest().targets[best];
  return absl::FailedPreconditionError(
      absl::StrCat(artifact.path(), ": no target of it runs on ", device.properties().name, ": ",
                   verdicts.empty() ? "it holds no code" : absl::StrJoin(refusals(verdicts), "; "),
                   "; compile the model again with --target ", device.properties().level));
}

CheckResult checkArtifact(const std::string &path, Device &device, bool deep) {
  auto artifact = artifact::Artifact::open(path);
  if (!artifact.ok())
    return unusable(artifact.status());
  absl::Status digests = verifyDigests(*artifact, deep);
  if (!digests.ok())
    return unusable(digests);
  auto verdicts = judgeTargets(*artifact, device);
  if (!verdicts.ok())
    return unusable(verdicts.status());
  return judge(*std::move(verdicts), device);
}

} // namespace lathe::runtime
