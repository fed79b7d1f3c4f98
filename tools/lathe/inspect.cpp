// `lathe inspect`: what is in a compiled model, or what was understood of a checkpoint.
#include <algorithm>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "base/json.h"
#include "base/status.h"
#include "runtime/module/check.h"
#include "tools/lathe/compiler_library.h"
#include "tools/lathe/console.h"
#include "tools/lathe/device_flags.h"
#include "tools/lathe/explain.h"
#include "tools/lathe/inspect_file.h"
#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

using artifact::Artifact;

struct InspectFlags {
  std::string path;
  std::optional<std::string> ir; // "portable" or "optimised"
  bool program = false, explain = false, json = false;
};

absl::Status checkUsage(const InspectFlags &flags, bool folder) {
  if (flags.ir.has_value() + flags.program + flags.explain > 1)
    return usageError("give one of --ir, --program and --explain");
  if (folder && (flags.program || flags.explain))
    return usageError(absl::StrCat(flags.path, " is not compiled yet; --program and --explain are "
                                               "about what `lathe compile` made of a model"));
  return absl::OkStatus();
}

// A text is the whole output, or a member of the object.
void show(const std::string &text, const char *member, bool as_json) {
  if (as_json)
    printJson({{member, text}});
  else
    print(absl::StrCat(text, absl::EndsWith(text, "\n") ? "" : "\n"));
}

absl::StatusOr<std::string> sectionText(const Artifact &artifact, const std::string &name) {
  if (!artifact.findSection(name))
    return absl::NotFoundError(absl::StrCat(artifact.path(), ": has no section '", name, "'"));
  LATHE_RETURN_IF_ERROR(artifact.verifySection(name));
  LATHE_ASSIGN_OR_RETURN(absl::Span<const uint8_t> bytes, artifact.section(name));
  return std::string(bytes.begin(), bytes.end());
}

absl::Status showIr(const Artifact &artifact, const InspectFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(std::string bytecode,
                         sectionText(artifact, absl::StrCat("ir.", *flags.ir)));
  LATHE_ASSIGN_OR_RETURN(const compiler::Api *api, compilerLibrary());
  LATHE_ASSIGN_OR_RETURN(std::string text, api->printBytecode(bytecode));
  show(text, "ir", flags.json);
  return absl::OkStatus();
}

// The one that would run here, or the first.
absl::StatusOr<std::string> targetToShow(const Artifact &artifact) {
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<runtime::Device> device, openDevice({}));
  std::string best = runtime::checkArtifact(artifact.path(), {device}, /*deep=*/false).target;
  if (!best.empty())
    return best;
  if (artifact.manifest().targets.empty())
    return absl::NotFoundError(absl::StrCat(artifact.path(), ": holds no code"));
  return artifact.manifest().targets.front().name;
}

// The text came with the file: what a terminal would obey is shown as its code.
std::string withoutControls(absl::string_view text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  for (std::string &line : lines)
    line = absl::Utf8SafeCHexEscape(line);
  return absl::StrJoin(lines, "\n");
}

absl::Status showProgram(const Artifact &artifact, const InspectFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(std::string target, targetToShow(artifact));
  LATHE_ASSIGN_OR_RETURN(std::string text, sectionText(artifact, absl::StrCat("program.", target)));
  show(withoutControls(text), "program", flags.json);
  return absl::OkStatus();
}

absl::Status showExplain(const Artifact &artifact, const InspectFlags &flags) {
  const std::string &decisions = artifact.manifest().explain;
  if (flags.json) {
    LATHE_ASSIGN_OR_RETURN(nlohmann::ordered_json json,
                           parseJson(decisions.empty() ? "[]" : decisions, "explain"));
    printJson({{"explain", json}});
    return absl::OkStatus();
  }
  LATHE_ASSIGN_OR_RETURN(std::string text, explainText(decisions));
  print(text.empty() ? "no decisions are recorded in this file\n" : text);
  return absl::OkStatus();
}

absl::Status inspectFile(const InspectFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(Artifact artifact, Artifact::open(flags.path));
  if (flags.ir)
    return showIr(artifact, flags);
  if (flags.program)
    return showProgram(artifact, flags);
  if (flags.explain)
    return showExplain(artifact, flags);
  if (flags.json)
    printJson(describeJson(artifact));
  else
    print(describe(artifact));
  return absl::OkStatus();
}

absl::Status inspectFolder(const InspectFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(const compiler::Api *api, compilerLibrary());
  if (flags.ir) {
    LATHE_ASSIGN_OR_RETURN(std::string text,
                           api->checkpointIr(flags.path, *flags.ir == "optimised"));
    show(text, "ir", flags.json);
    return absl::OkStatus();
  }
  LATHE_ASSIGN_OR_RETURN(std::string report, api->describeCheckpoint(flags.path, flags.json));
  show(report, "", /*as_json=*/false); // it is one object already
  return absl::OkStatus();
}

absl::Status run(const InspectFlags &flags) {
  std::error_code error;
  bool folder = std::filesystem::is_directory(flags.path, error);
  LATHE_RETURN_IF_ERROR(checkUsage(flags, folder));
  return folder ? inspectFolder(flags) : inspectFile(flags);
}

Action declare(CLI::App &app) {
  auto flags = std::make_shared<InspectFlags>();
  addArgument(app, "FILE-or-MODEL", flags->path, "a compiled model, or a checkpoint's folder");
  addChoice(app, "--ir", flags->ir, {"portable", "optimised"}, "IR",
            "print the portable or the optimised IR: what it means");
  addSwitch(app, "--program", flags->program,
            "print the step program of the target that runs here: what is executed");
  addSwitch(app, "--explain", flags->explain, "which form and fusion each layer got, and why");
  addSwitch(app, "--json", flags->json, "one object");
  return [flags] { return run(*flags); };
}

} // namespace

const Verb kInspect = {"inspect", "FILE-or-MODEL",
                       "what is in a compiled model, or what was understood of a checkpoint",
                       "lathe inspect stories.lathe\nlathe inspect stories.lathe --explain",
                       declare};

} // namespace lathe::cli
