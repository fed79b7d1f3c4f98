// `lathe run`: text or tokens out of a compiled model.
#include <algorithm>

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "tools/lathe/chat.h"
#include "tools/lathe/run_once.h"
#include "tools/lathe/token_list.h"
#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

absl::Status checkChatUsage(const RunFlags &flags) {
  if (flags.print_tokens || flags.json || flags.dump_logits)
    return usageError("--chat is for people: it goes with none of --print-tokens, --json and "
                      "--dump-logits");
  return absl::OkStatus();
}

absl::Status checkUsage(const RunFlags &flags) {
  int inputs = flags.prompt.has_value() + flags.prompt_file.has_value() + flags.tokens.has_value() +
               flags.chat;
  if (inputs != 1)
    return usageError(absl::StrCat(inputs == 0 ? "nothing to run" : "several inputs",
                                   "; give one of --prompt, --prompt-file, --tokens and --chat"));
  if (std::count(flags.stops.begin(), flags.stops.end(), ""))
    return usageError("--stop: the text is empty; it would stop before the first token");
  if (flags.chat)
    LATHE_RETURN_IF_ERROR(checkChatUsage(flags));
  if (flags.tokens)
    LATHE_RETURN_IF_ERROR(parseTokenList(*flags.tokens).status());
  return checkSamplingFlags(flags.sampling);
}

absl::Status run(const RunFlags &flags) {
  LATHE_RETURN_IF_ERROR(checkUsage(flags));
  Interrupt interrupt;
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<runtime::Module> module,
                         loadModule(flags.file, flags.device));
  if (!flags.chat)
    return runOnce(flags, std::move(module), interrupt);
  ChatOptions options;
  options.max_new = flags.max_new;
  options.sampling = samplingOptions(flags.sampling, module->manifest());
  options.stops = flags.stops;
  options.prefill_chunk = static_cast<int>(flags.prefill_chunk.value_or(0));
  options.stats = flags.stats;
  return chat(std::move(module), options, interrupt);
}

void addInputs(CLI::App &app, RunFlags &flags) {
  addArgument(app, "FILE", flags.file, "a compiled model (.lathe)");
  addText(app, "--prompt", flags.prompt, "TEXT",
          "the text to go on from; the tokenizer adds its special tokens");
  addText(app, "--prompt-file", flags.prompt_file, "F", "the same, out of a file");
  addText(app, "--tokens", flags.tokens, "1,5,9", "token ids instead; nothing is added");
  addSwitch(app, "--chat", flags.chat, "a conversation, one line of standard input a message");
}

void addOutputs(CLI::App &app, RunFlags &flags) {
  addTexts(app, "--stop", flags.stops, "TEXT", "end where this text comes up (repeatable)");
  addSwitch(app, "--print-tokens", flags.print_tokens,
            "the new ids on one line, comma separated, instead of text");
  addText(app, "--dump-logits", flags.dump_logits, "F",
          "safetensors with input_ids and logits of every position fed");
  addSwitch(app, "--stats", flags.stats, "times and rates, on standard error");
  addSwitch(app, "--json", flags.json, "one object: ids, text, why it ended, times");
}

Action declare(CLI::App &app) {
  auto flags = std::make_shared<RunFlags>();
  addInputs(app, *flags);
  addWhole(app, "--max-new", flags->max_new, {},
           "most new tokens (256; with --dump-logits 0, with --chat the context)");
  addSamplingFlags(app, flags->sampling);
  addOutputs(app, *flags);
  addThreadsFlag(app, flags->device);
  addWhole(app, "--prefill-chunk", flags->prefill_chunk, {1, INT32_MAX},
           "prompt tokens of one step (as many as the model is compiled for)");
  addDeviceFlag(app, flags->device);
  addTargetFlag(app, flags->device);
  return [flags] { return run(*flags); };
}

} // namespace

const Verb kRun = {"run", "FILE", "text or tokens out of a compiled model",
                   "lathe run stories.lathe --prompt \"Once upon a time\" --greedy --max-new 64",
                   declare};

} // namespace lathe::cli
