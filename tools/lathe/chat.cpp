#include "tools/lathe/chat.h"

#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "tools/lathe/console.h"
#include "tools/lathe/conversation.h"
#include "tools/lathe/line_reader.h"
#include "tools/lathe/nearest.h"
#include "tools/lathe/run_stats.h"

namespace lathe::cli {
namespace {

using runtime::GenerateResult;
using runtime::StopReason;

constexpr char kHelp[] = "  /reset   forget the conversation\n"
                         "  /help    this text\n"
                         "  Ctrl-C   end an answer\n"
                         "  Ctrl-D   end the program\n";

runtime::GenerateOptions generateOptions(const runtime::Session &session,
                                         const text::Tokenizer &tokenizer,
                                         const ChatOptions &options, const Interrupt &interrupt) {
  runtime::GenerateOptions result;
  result.max_new = options.max_new.value_or(session.contextLength());
  result.sampling = options.sampling;
  result.stop = interrupt.flag();
  result.eos_token_ids = session.module().manifest().eos_token_ids;
  // Some checkpoints name the token that ends a turn only here.
  if (std::optional<int32_t> eos = tokenizer.eosId())
    result.eos_token_ids.push_back(*eos);
  return result;
}

class ChatLoop {
public:
  ChatLoop(Conversation &conversation, runtime::GenerateOptions generation,
           const ChatOptions &options, int64_t context, Interrupt &interrupt)
      : conversation_(conversation), generation_(std::move(generation)), options_(options),
        context_(context), interrupt_(interrupt), prompt_(isatty(STDIN_FILENO) ? "> " : "") {}

  void run() {
    if (!prompt_.empty())
      printAside("/help lists what can be said beside messages\n");
    LineReader reader(STDIN_FILENO);
    for (std::string line;;) {
      printAside(prompt_);
      LineReader::Event event = reader.next(line);
      if (event == LineReader::Event::end)
        break;
      if (event == LineReader::Event::interrupted)
        printAside("\n(Ctrl-D ends the program)\n");
      else
        take(std::string(absl::StripAsciiWhitespace(line)));
      interrupt_.clear();
    }
    if (!prompt_.empty())
      printAside("\n");
  }

private:
  void take(const std::string &line) {
    if (line.empty())
      return;
    if (line[0] == '/')
      command(line);
    else
      say(line);
  }

  void command(const std::string &word) {
    if (word == "/help")
      printAside(kHelp);
    else if (word == "/reset")
      reset();
    else
      printNote(absl::StrCat("no such command: ", word, didYouMean(word, {"/help", "/reset"}),
                             "; /help lists them"));
  }

  void reset() {
    conversation_.forget();
    if (!prompt_.empty())
      printAside("(the conversation is forgotten)\n");
  }

  void say(const std::string &message) {
    interrupt_.clear();
    absl::StatusOr<GenerateResult> result =
        conversation_.answer(message, generation_, options_.stops, printNow);
    ++generation_.sampling.seed; // another answer draws other numbers
    printNow("\n");
    if (!result.ok())
      printError(result.status().message());
    else
      sayHowItEnded(*result);
  }

  void sayHowItEnded(const GenerateResult &result) const {
    if (result.reason == StopReason::context_full)
      printNote(absl::StrCat("the context of ", context_,
                             " tokens is full; /reset starts a new conversation"));
    if (options_.stats)
      printAside(statsText(result.stats));
  }

  Conversation &conversation_;
  runtime::GenerateOptions generation_;
  const ChatOptions &options_;
  int64_t context_;
  Interrupt &interrupt_;
  std::string prompt_; // empty where nobody would see it
};

} // namespace

absl::Status chat(std::shared_ptr<runtime::Module> module, const ChatOptions &options,
                  Interrupt &interrupt) {
  LATHE_ASSIGN_OR_RETURN(TextFiles files, textFilesOf(module->artifact()));
  LATHE_ASSIGN_OR_RETURN(ChatPrompt prompt, loadChatPrompt(files));
  LATHE_ASSIGN_OR_RETURN(text::Tokenizer tokenizer, loadTokenizer(files));
  LATHE_ASSIGN_OR_RETURN(
      std::unique_ptr<runtime::Session> session,
      runtime::Session::create(module, {options.prefill_chunk, interrupt.flag()}));
  Conversation conversation(std::move(prompt), tokenizer, *session);
  ChatLoop(conversation, generateOptions(*session, tokenizer, options, interrupt), options,
           session->contextLength(), interrupt)
      .run();
  return absl::OkStatus();
}

} // namespace lathe::cli
