#include "tools/lathe/run_once.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/file.h"
#include "base/status.h"
#include "runtime/generate/generate.h"
#include "tools/lathe/console.h"
#include "tools/lathe/logits_dump.h"
#include "tools/lathe/run_stats.h"
#include "tools/lathe/text_files.h"
#include "tools/lathe/text_output.h"
#include "tools/lathe/token_list.h"

namespace lathe::cli {
namespace {

using runtime::GenerateResult;
using runtime::StopReason;
using Ids = std::vector<int32_t>;

constexpr int64_t kDefaultNew = 256;

// One run, from the prompt's ids to the result.
class Run {
public:
  Run(const RunFlags &flags, std::shared_ptr<runtime::Module> module, Interrupt &interrupt)
      : flags_(flags), module_(std::move(module)), interrupt_(interrupt) {}

  absl::Status operator()() {
    if (needsTokenizer())
      LATHE_RETURN_IF_ERROR(loadText());
    LATHE_ASSIGN_OR_RETURN(prompt_, promptIds());
    LATHE_RETURN_IF_ERROR(checkLength());
    LATHE_ASSIGN_OR_RETURN(
        session_,
        runtime::Session::create(
            module_, {static_cast<int>(flags_.prefill_chunk.value_or(0)), interrupt_.flag()}));
    LATHE_ASSIGN_OR_RETURN(GenerateResult result, generate());
    return report(result);
  }

private:
  const artifact::Manifest &manifest() const { return module_->manifest(); }
  // Text in, text out, or text that ends it. Loading a large tokenizer takes longer than a token.
  bool showsText() const { return !flags_.print_tokens && maxNew() > 0; }
  bool needsTokenizer() const { return !flags_.tokens || !flags_.stops.empty() || showsText(); }

  int64_t maxNew() const { return flags_.max_new.value_or(flags_.dump_logits ? 0 : kDefaultNew); }

  absl::Status loadText() {
    LATHE_ASSIGN_OR_RETURN(TextFiles files, textFilesOf(module_->artifact()));
    if (files.tokenizer.empty() && flags_.json && flags_.tokens && flags_.stops.empty())
      return absl::OkStatus(); // the object then has ids only
    LATHE_ASSIGN_OR_RETURN(text::Tokenizer tokenizer, loadTokenizer(files));
    tokenizer_ = std::make_unique<text::Tokenizer>(std::move(tokenizer));
    bool streams = showsText() && !flags_.json;
    TextOutput::Sink sink = [streams](absl::string_view text) {
      if (streams)
        printNow(text);
    };
    output_ = std::make_unique<TextOutput>(*tokenizer_, flags_.stops, std::move(sink));
    return absl::OkStatus();
  }

  absl::StatusOr<Ids> promptIds() const {
    if (flags_.tokens) {
      LATHE_ASSIGN_OR_RETURN(std::vector<int64_t> ids, parseTokenList(*flags_.tokens));
      return checkedTokens(ids, manifest().vocab_size);
    }
    if (flags_.prompt)
      return tokenizer_->encode(*flags_.prompt, /*add_special=*/true);
    LATHE_ASSIGN_OR_RETURN(std::string text, readTextFile(*flags_.prompt_file));
    return tokenizer_->encode(text, /*add_special=*/true);
  }

  absl::Status checkLength() const {
    if (prompt_.empty())
      return absl::InvalidArgumentError("the prompt is empty, and this model's tokenizer puts "
                                        "nothing in front of it; give at least one token");
    if (prompt_.size() > manifest().max_context)
      return absl::OutOfRangeError(
          absl::StrCat("the prompt has ", prompt_.size(), " tokens, but the context holds ",
                       manifest().max_context,
                       "; shorten it, or compile the model with a larger --max-context"));
    return absl::OkStatus();
  }

  runtime::GenerateOptions generateOptions() const {
    runtime::GenerateOptions options;
    options.max_new = maxNew();
    options.eos_token_ids = manifest().eos_token_ids;
    options.sampling = samplingOptions(flags_.sampling, manifest());
    options.stop = interrupt_.flag();
    return options;
  }

  absl::StatusOr<GenerateResult> generate() {
    if (output_)
      output_->follow(prompt_);
    absl::Status shown;
    auto show = [&](int32_t id) {
      if (!output_)
        return true;
      absl::StatusOr<bool> more = output_->push(id);
      shown = more.status();
      return more.ok() && *more;
    };
    auto result = flags_.dump_logits
                      ? generateWithDump(show)
                      : runtime::generate(*session_, prompt_, generateOptions(), show);
    LATHE_RETURN_IF_ERROR(result.status());
    LATHE_RETURN_IF_ERROR(shown);
    if (output_)
      LATHE_RETURN_IF_ERROR(output_->finish());
    return result;
  }

  // The same, and each row of logits goes into the dump.
  absl::StatusOr<GenerateResult> generateWithDump(runtime::TokenCallback on_token) {
    LATHE_ASSIGN_OR_RETURN(LogitsDump dump,
                           LogitsDump::create(*flags_.dump_logits, manifest().vocab_size));
    absl::Status written;
    runtime::GenerateOptions options = generateOptions();
    options.on_row = [&](absl::Span<const float> row) { written.Update(dump.addRow(row)); };
    LATHE_ASSIGN_OR_RETURN(GenerateResult result,
                           runtime::generate(*session_, prompt_, options, on_token));
    LATHE_RETURN_IF_ERROR(written);
    Ids fed = prompt_;
    fed.insert(fed.end(), result.tokens.begin(), result.tokens.end());
    fed.resize(session_->position()); // the last token given out was not fed
    if (result.reason != StopReason::stopped)
      LATHE_RETURN_IF_ERROR(dump.finish(fed));
    return result;
  }

  absl::Status report(const GenerateResult &result) const {
    if (flags_.json)
      printJson(resultJson(result));
    else if (flags_.print_tokens)
      print(absl::StrCat(absl::StrJoin(result.tokens, ","), "\n"));
    else if (maxNew() > 0)
      print("\n");
    if (result.reason == StopReason::context_full)
      printNote(absl::StrCat("the context of ", session_->contextLength(), " tokens is full"));
    if (flags_.stats)
      printAside(statsText(result.stats));
    return result.reason == StopReason::stopped ? absl::CancelledError("") : absl::OkStatus();
  }

  nlohmann::ordered_json resultJson(const GenerateResult &result) const {
    nlohmann::ordered_json json = {{"prompt_ids", prompt_}, {"new_ids", result.tokens}};
    if (output_)
      json["text"] = output_->text();
    // Only a stop text ends a run through the callback.
    bool stop_text = result.reason == StopReason::callback;
    json["stop_reason"] = stop_text ? "stop_text" : runtime::stopReasonName(result.reason);
    json["target"] = module_->target().name;
    json["stats"] = statsJson(result.stats);
    return json;
  }

  const RunFlags &flags_;
  std::shared_ptr<runtime::Module> module_;
  Interrupt &interrupt_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::unique_ptr<TextOutput> output_;
  std::unique_ptr<runtime::Session> session_;
  Ids prompt_;
};

} // namespace

absl::Status runOnce(const RunFlags &flags, std::shared_ptr<runtime::Module> module,
                     Interrupt &interrupt) {
  return Run(flags, std::move(module), interrupt)();
}

} // namespace lathe::cli
