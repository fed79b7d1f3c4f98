// `lathe eval`: how well a model predicts a text.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/file.h"
#include "base/status.h"
#include "runtime/eval/eval.h"
#include "tools/lathe/console.h"
#include "tools/lathe/device_flags.h"
#include "tools/lathe/interrupt.h"
#include "tools/lathe/progress.h"
#include "tools/lathe/table.h"
#include "tools/lathe/text_files.h"
#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

struct EvalFlags {
  std::string file;
  DeviceFlags device;
  std::optional<std::string> text;
  std::optional<int64_t> window;
  bool json = false;
};

struct Measured {
  runtime::EvalResult result;
  int64_t window = 0;
};

absl::StatusOr<Measured> measure(const EvalFlags &flags, const Interrupt &interrupt) {
  LATHE_ASSIGN_OR_RETURN(std::string words, readTextFile(*flags.text));
  LATHE_ASSIGN_OR_RETURN(auto module, loadModule(flags.file, flags.device));
  LATHE_ASSIGN_OR_RETURN(TextFiles files, textFilesOf(module->artifact()));
  LATHE_ASSIGN_OR_RETURN(text::Tokenizer tokenizer, loadTokenizer(files));
  LATHE_ASSIGN_OR_RETURN(std::vector<int32_t> ids, tokenizer.encode(words, /*add_special=*/false));
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<runtime::Session> session,
                         runtime::Session::create(module, {0, interrupt.flag()}));
  Measured measured;
  measured.window = flags.window.value_or(session->contextLength());
  Progress progress;
  auto show = [&](int64_t done, int64_t total) { progress.update("evaluating", done, total); };
  LATHE_ASSIGN_OR_RETURN(
      measured.result,
      runtime::evaluate(*session, ids, {measured.window, tokenizer.bosId().value_or(-1)}, show));
  return measured;
}

nlohmann::ordered_json json(const Measured &measured) {
  return {{"mean_nll", measured.result.mean_nll},
          {"perplexity", measured.result.perplexity},
          {"tokens", measured.result.tokens},
          {"window", measured.window}};
}

std::string text(const Measured &measured) {
  return formatTable(
      {{"mean nll", absl::StrFormat("%.6f nats per token", measured.result.mean_nll)},
       {"perplexity", absl::StrFormat("%.4f", measured.result.perplexity)},
       {"tokens", absl::StrCat(measured.result.tokens)},
       {"window", absl::StrCat(measured.window)}});
}

absl::Status run(const EvalFlags &flags) {
  Interrupt interrupt;
  LATHE_ASSIGN_OR_RETURN(Measured measured, measure(flags, interrupt));
  if (flags.json)
    printJson(json(measured));
  else
    print(text(measured));
  return absl::OkStatus();
}

Action declare(CLI::App &app) {
  auto flags = std::make_shared<EvalFlags>();
  addArgument(app, "FILE", flags->file, "a compiled model (.lathe)");
  addRequiredText(app, "--text", flags->text, "F", "the text, as a file");
  addWhole(app, "--window", flags->window, {2, INT32_MAX},
           "tokens that are seen at once, BOS included (the context)");
  addDeviceFlag(app, flags->device);
  addTargetFlag(app, flags->device);
  addThreadsFlag(app, flags->device);
  addSwitch(app, "--json", flags->json, "one object: mean_nll, perplexity, tokens, window");
  return [flags] { return run(*flags); };
}

} // namespace

const Verb kEval = {
    "eval", "FILE --text F", "how well a model predicts a text: nats per token, perplexity",
    "lathe eval stories.lathe --text tests/data/stories_mla/eval.txt --window 256", declare};

} // namespace lathe::cli
