#include "runtime/module/check.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "base/status.h"

namespace lathe::runtime {
namespace {

// The device that runs code best, the first of equals, and how well; of none what the first lacks.
absl::StatusOr<std::pair<size_t, Compatibility>> bestDevice(const std::string &needs,
                                                            Devices devices) {
  std::pair<size_t, Compatibility> best;
  for (size_t i = 0; i < devices.size(); ++i) {
    LATHE_ASSIGN_OR_RETURN(Compatibility mine, devices[i]->compatibility(needs));
    bool better =
        mine.verdict != Compatibility::Verdict::no &&
        (best.second.verdict == Compatibility::Verdict::no || mine.rank > best.second.rank);
    if (i == 0 || better)
      best = {i, std::move(mine)};
  }
  return best;
}

// Takes over what is worse in `part`.
void addPart(const std::string &name, const Compatibility &part, Compatibility &whole) {
  if (part.verdict <= whole.verdict)
    return;
  whole.verdict = part.verdict;
  whole.reason = absl::StrCat("part '", name, "': ", part.reason);
}

absl::StatusOr<std::vector<TargetVerdict>> judgeTargets(const artifact::Artifact &artifact,
                                                        Devices devices) {
  std::vector<TargetVerdict> verdicts;
  for (const artifact::Target &target : artifact.manifest().targets) {
    LATHE_ASSIGN_OR_RETURN(TargetVerdict verdict, judgeTarget(target, devices));
    verdicts.push_back(std::move(verdict));
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
  for (const artifact::Target &target : manifest.targets) {
    LATHE_RETURN_IF_ERROR(artifact.verifySection(target.code_section));
    for (const artifact::Part &part : target.parts)
      LATHE_RETURN_IF_ERROR(artifact.verifySection(part.code_section));
  }
  return absl::OkStatus();
}

CheckResult unusable(const absl::Status &status) {
  CheckResult result;
  result.reasons.push_back(std::string(status.message()));
  return result;
}

std::string advice(const DeviceProperties &device) {
  return absl::StrCat("compile the model again with --target ",
                      device.level.empty() ? "and one that `lathe devices` lists" : device.level);
}

CheckResult judge(std::vector<TargetVerdict> verdicts, const Device &device) {
  CheckResult result;
  int best = bestOf(verdicts);
  if (best < 0) {
    result.verdict = Verdict::recompile;
    result.reasons = refusals(verdicts);
    result.reasons.push_back(advice(device.properties()));
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
  auto isOf = [&](const auto &code) {
    return section.name == code.code_section || section.name == code.weights_section;
  };
  auto belongsTo = [&](const artifact::Target &target) {
    return isOf(target) || std::any_of(target.parts.begin(), target.parts.end(), isOf);
  };
  return section.name.rfind("ir.", 0) != 0 && section.name.rfind("weights", 0) != 0 &&
         section.name.rfind("code.", 0) != 0 &&
         std::none_of(manifest.targets.begin(), manifest.targets.end(), belongsTo);
}

absl::StatusOr<TargetVerdict> judgeTarget(const artifact::Target &target, Devices devices) {
  TargetVerdict result = {target.name, {}, {}};
  // Code of a whole model is for the device that was asked for.
  LATHE_ASSIGN_OR_RETURN(
      auto own,
      bestDevice(target.compatibility, target.parts.empty() ? devices.subspan(0, 1) : devices));
  result.compatibility = std::move(own.second);
  result.devices = {own.first};
  for (const artifact::Part &part : target.parts) {
    LATHE_ASSIGN_OR_RETURN(auto device, bestDevice(part.compatibility, devices));
    addPart(part.name, device.second, result.compatibility);
    result.devices.push_back(device.first);
  }
  bool runs = result.compatibility.verdict != Compatibility::Verdict::no;
  if (runs && std::find(result.devices.begin(), result.devices.end(), 0) == result.devices.end()) {
    result.compatibility.verdict = Compatibility::Verdict::no;
    result.compatibility.reason = absl::StrCat("has nothing for ", devices[0]->properties().name);
  }
  return result;
}

absl::StatusOr<TargetChoice> chooseTarget(const artifact::Artifact &artifact, Devices devices) {
  LATHE_ASSIGN_OR_RETURN(std::vector<TargetVerdict> verdicts, judgeTargets(artifact, devices));
  int best = bestOf(verdicts);
  if (best >= 0)
    return TargetChoice{&artifact.manifest().targets[best], std::move(verdicts[best].devices)};
  const DeviceProperties &wanted = devices[0]->properties();
  return absl::FailedPreconditionError(
      absl::StrCat(artifact.path(), ": no target of it runs on ", wanted.name, ": ",
                   verdicts.empty() ? "it holds no code" : absl::StrJoin(refusals(verdicts), "; "),
                   "; ", advice(wanted)));
}

CheckResult checkArtifact(const std::string &path, Devices devices, bool deep) {
  auto artifact = artifact::Artifact::open(path);
  if (!artifact.ok())
    return unusable(artifact.status());
  absl::Status digests = verifyDigests(*artifact, deep);
  if (!digests.ok())
    return unusable(digests);
  auto verdicts = judgeTargets(*artifact, devices);
  if (!verdicts.ok())
    return unusable(verdicts.status());
  return judge(*std::move(verdicts), *devices[0]);
}

} // namespace lathe::runtime
