// `lathe compile`: a checkpoint to one file that runs.
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/json.h"
#include "base/status.h"
#include "tools/lathe/compiler_library.h"
#include "tools/lathe/console.h"
#include "tools/lathe/explain.h"
#include "tools/lathe/flags.h"
#include "tools/lathe/interrupt.h"
#include "tools/lathe/plugin_flags.h"
#include "tools/lathe/progress.h"
#include "tools/lathe/table.h"
#include "tools/lathe/units.h"
#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

using compiler::CompileReport;
namespace fs = std::filesystem;

constexpr int64_t kMostPrefillRows = 1 << 20; // of a step of an artifact

struct CompileFlags {
  std::string model;
  std::optional<std::string> output, activations, weights, cache, dump_stages, place;
  std::vector<std::string> targets, plugins;
  std::optional<int64_t> max_context, prefill_chunk, threads;
  bool strict = false, explain = false, force = false, json = false;
};

// What would fail after the work is refused before it.
absl::Status checkOutput(const CompileFlags &flags) {
  std::error_code error;
  fs::path output = *flags.output, folder = output.parent_path();
  if (fs::is_directory(output, error))
    return absl::FailedPreconditionError(
        absl::StrCat(*flags.output, ": is a folder; -o names the file to write"));
  if (!flags.force && fs::exists(output, error))
    return absl::AlreadyExistsError(
        absl::StrCat(*flags.output, ": is there already; --force replaces it"));
  if (!folder.empty() && !fs::is_directory(folder, error))
    return absl::NotFoundError(
        absl::StrCat(*flags.output, ": there is no folder ", folder.string(), "; make it first"));
  return absl::OkStatus();
}

absl::Status checkInput(const CompileFlags &flags) {
  std::error_code error;
  if (fs::exists(flags.model, error))
    return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat(flags.model, ": there is no such folder; MODEL is a Hugging Face checkpoint's"));
}

compiler::CompileOptions compileOptions(const CompileFlags &flags, Progress &progress,
                                        const Interrupt &interrupt) {
  compiler::CompileOptions options;
  options.checkpoint = flags.model;
  options.output = *flags.output;
  options.targets = flags.targets;
  options.place = flags.place.value_or("");
  options.strict = flags.strict;
  options.activations = flags.activations.value_or("f32");
  options.weights = flags.weights.value_or("");
  options.cache = flags.cache.value_or("");
  options.max_context = flags.max_context.value_or(0);
  options.prefill_chunk = flags.prefill_chunk.value_or(0);
  options.threads = static_cast<int>(flags.threads.value_or(0));
  options.dump_stages = flags.dump_stages.value_or("");
  options.force = flags.force;
  options.progress = [&progress](absl::string_view stage, uint64_t done, uint64_t total) {
    progress.update(stage, done, total);
  };
  options.note = [&progress](absl::string_view text) {
    progress.clear();
    printNote(text);
  };
  options.cancelled = interrupt.flag();
  return options;
}

absl::StatusOr<CompileReport> compile(const CompileFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(Plugins plugins, loadPlugins(flags.plugins));
  LATHE_ASSIGN_OR_RETURN(const compiler::Api *api, compilerLibrary());
  Interrupt interrupt;
  Progress progress;
  compiler::CompileOptions options = compileOptions(flags, progress, interrupt);
  options.plugins = std::move(plugins);
  return api->compile(options);
}

absl::StatusOr<nlohmann::ordered_json> json(const CompileReport &report,
                                            const CompileFlags &flags) {
  nlohmann::ordered_json object = {{"output", *flags.output},
                                   {"targets", report.targets},
                                   {"file_bytes", report.file_bytes},
                                   {"packed_bytes", report.packed_bytes},
                                   {"seconds",
                                    {{"import", report.seconds_import},
                                     {"passes", report.seconds_passes},
                                     {"code", report.seconds_code},
                                     {"pack", report.seconds_pack}}}};
  if (flags.explain) {
    LATHE_ASSIGN_OR_RETURN(object["explain"], parseJson(report.explain_json, "explain"));
  }
  return object;
}

std::string summary(const CompileReport &report, const CompileFlags &flags) {
  return absl::StrCat(
      "wrote ", *flags.output, "\n",
      formatTable({{"size", absl::StrCat(bytesText(report.file_bytes), ", of which weights ",
                                         bytesText(report.packed_bytes))},
                   {"targets", absl::StrJoin(report.targets, ", ")},
                   {"time", absl::StrCat("import ", secondsText(report.seconds_import), ", passes ",
                                         secondsText(report.seconds_passes), ", code ",
                                         secondsText(report.seconds_code), ", packing ",
                                         secondsText(report.seconds_pack))}}));
}

absl::Status run(const CompileFlags &flags) {
  LATHE_RETURN_IF_ERROR(checkOutput(flags));
  LATHE_RETURN_IF_ERROR(checkInput(flags));
  LATHE_ASSIGN_OR_RETURN(CompileReport report, compile(flags));
  if (flags.json) {
    LATHE_ASSIGN_OR_RETURN(nlohmann::ordered_json object, json(report, flags));
    printJson(object);
    return absl::OkStatus();
  }
  print(summary(report, flags));
  if (flags.explain) {
    LATHE_ASSIGN_OR_RETURN(std::string decisions, explainText(report.explain_json));
    print(absl::StrCat("\n", decisions));
  }
  return absl::OkStatus();
}

Action declare(CLI::App &app) {
  auto flags = std::make_shared<CompileFlags>();
  addArgument(app, "MODEL", flags->model, "a Hugging Face checkpoint's folder");
  addRequiredText(app, "-o,--output", flags->output, "FILE", "the file to write");
  addTexts(app, "--target", flags->targets, "T",
           "x86 (every level), x86-64-v3, x86-64-v4, x86-vnni, x86-amx, or PLUGIN:NAME as\n"
           "`lathe devices` lists it; repeatable (this machine's level and every\n"
           "lower one)");
  addPluginFlag(app, flags->plugins);
  addText(app, "--place", flags->place, "RULES",
          "what runs where, instead of the cheapest: PATTERN=TARGET,... such as\n"
          "'expert_ffn=x86,*=npu:ascend-910b'; the first that fits an op holds");
  addSwitch(app, "--strict", flags->strict,
            "an op that no other target than x86 takes is an error, not x86's");
  addChoice(app, "--activations", flags->activations, {"f32", "bf16", "w8a8"}, "A",
            "what products take their inputs as: f32, bf16, or w8a8, which is\n"
            "8 bits as the weight has them, fp8 or integers (f32)");
  addChoice(app, "--weights", flags->weights, {"q8_0", "q4_0", "fp8", "bf16"}, "W",
            "form of the products' weights: q8_0, q4_0, fp8 or bf16 (as in MODEL)");
  addChoice(app, "--cache", flags->cache, {"f32", "bf16"}, "C",
            "what a context's keys, values and latents are kept as: f32 or bf16\n"
            "(f32; bf16 with --activations bf16)");
  addWhole(app, "--max-context", flags->max_context, {1, INT32_MAX},
           "tokens that a conversation may have (the model's own)");
  addWhole(app, "--prefill-chunk", flags->prefill_chunk, {1, kMostPrefillRows},
           "tokens that one prefill step takes at most (chosen by cost)");
  addWhole(app, "--threads", flags->threads, {0, 1024}, "threads that pack weights (0: all cores)");
  addSwitch(app, "--explain", flags->explain, "which form and fusion each layer got, and why");
  addText(app, "--dump-stages", flags->dump_stages, "DIR", "write the IR after each stage there");
  addSwitch(app, "--force", flags->force, "replace FILE if it is there");
  addSwitch(app, "--json", flags->json, "one object: sizes, targets, seconds");
  return [flags] { return run(*flags); };
}

} // namespace

const Verb kCompile = {"compile", "MODEL -o FILE", "a checkpoint to one file that runs",
                       "lathe compile models/stories_mla_fp8 -o stories.lathe", declare};

} // namespace lathe::cli
