// `lathe check`: whether a file runs here, and how well, without loading its code.
#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "runtime/module/check.h"
#include "tools/lathe/console.h"
#include "tools/lathe/device_flags.h"
#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

using runtime::CheckResult;
using runtime::Compatibility;

struct CheckFlags {
  std::string file;
  DeviceFlags device;
  bool deep = false, json = false;
};

const char *nameOf(Compatibility::Verdict verdict) {
  switch (verdict) {
  case Compatibility::Verdict::optimal: return "optimal";
  case Compatibility::Verdict::usable: return "usable";
  case Compatibility::Verdict::no: return "no";
  }
  return "no";
}

nlohmann::ordered_json json(const CheckResult &result, const CheckFlags &flags) {
  nlohmann::ordered_json targets = nlohmann::ordered_json::array();
  for (const runtime::TargetVerdict &target : result.targets)
    targets.push_back({{"target", target.target},
                       {"verdict", nameOf(target.compatibility.verdict)},
                       {"reason", target.compatibility.reason}});
  return {{"file", flags.file},
          {"device", kCpuDevice},
          {"verdict", verdictName(result.verdict)},
          {"target", result.target},
          {"reasons", result.reasons},
          {"targets", targets},
          {"deep", flags.deep}};
}

std::string text(const CheckResult &result) {
  std::string text = verdictName(result.verdict);
  if (!result.target.empty())
    absl::StrAppend(&text, ": target '", result.target, "' would run");
  absl::StrAppend(&text, "\n");
  for (const std::string &reason : result.reasons)
    absl::StrAppend(&text, "  ", reason, "\n");
  return text;
}

absl::Status run(const CheckFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(auto devices, openDevices(flags.device));
  CheckResult result = runtime::checkArtifact(flags.file, devices, flags.deep);
  if (flags.json)
    printJson(json(result, flags));
  else
    print(text(result));
  if (result.verdict == runtime::Verdict::optimal || result.verdict == runtime::Verdict::usable)
    return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(flags.file, ": does not run on ",
                                                    flags.device.device.value_or(kCpuDevice), ": ",
                                                    verdictName(result.verdict)));
}

Action declare(CLI::App &app) {
  auto flags = std::make_shared<CheckFlags>();
  addArgument(app, "FILE", flags->file, "a compiled model (.lathe)");
  addDeviceFlag(app, flags->device);
  addSwitch(app, "--deep", flags->deep, "compare the digests of all sections, weights included");
  addSwitch(app, "--json", flags->json, "one object: verdict, target, reasons");
  return [flags] { return run(*flags); };
}

} // namespace

const Verb kCheck = {"check", "FILE",
                     "whether a file runs here: OPTIMAL, USABLE, RECOMPILE or NO, with reasons",
                     "lathe check stories.lathe --deep", declare};

} // namespace lathe::cli
