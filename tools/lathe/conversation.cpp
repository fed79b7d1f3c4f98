#include "tools/lathe/conversation.h"

#include <algorithm>

#include "base/status.h"
#include "text/tokenizer/utf8.h"

namespace lathe::cli {

size_t reusablePrefix(absl::Span<const int32_t> fed, absl::Span<const int32_t> wanted) {
  if (wanted.empty())
    return 0;
  size_t most = std::min(fed.size(), wanted.size() - 1);
  return std::mismatch(fed.begin(), fed.begin() + most, wanted.begin()).first - fed.begin();
}

void Conversation::addMessage(const char *role, absl::string_view content) {
  messages_.push_back({{"role", role}, {"content", text::repairUtf8(content)}});
}

void Conversation::forget() { messages_.clear(); }

absl::StatusOr<std::vector<int32_t>> Conversation::render() const {
  nlohmann::ordered_json context = prompt_.context;
  context["messages"] = messages_;
  context["add_generation_prompt"] = true;
  LATHE_ASSIGN_OR_RETURN(std::string text, prompt_.chat_template.render(context));
  LATHE_ASSIGN_OR_RETURN(std::vector<int32_t> ids, tokenizer_.encode(text, /*add_special=*/false));
  if (ids.empty())
    return absl::InvalidArgumentError("the chat template made no text of this conversation");
  if (static_cast<int64_t>(ids.size()) > session_.contextLength())
    return absl::OutOfRangeError(
        absl::StrCat("the conversation has ", ids.size(), " tokens, but the context holds ",
                     session_.contextLength(), "; /reset starts a new one"));
  return ids;
}

// The number of ids that need not be fed again.
absl::StatusOr<size_t> Conversation::rewindTo(absl::Span<const int32_t> wanted) {
  size_t keep = reusablePrefix(fed_, wanted);
  absl::Status rewound = session_.rewind(static_cast<int64_t>(keep));
  if (absl::IsFailedPrecondition(rewound)) { // the model's state cannot go back: all of it anew
    keep = 0;
    rewound = session_.reset();
  }
  LATHE_RETURN_IF_ERROR(rewound);
  return keep;
}

absl::StatusOr<runtime::GenerateResult>
Conversation::generate(const runtime::GenerateOptions &options, TextOutput &output) {
  LATHE_ASSIGN_OR_RETURN(std::vector<int32_t> wanted, render());
  LATHE_ASSIGN_OR_RETURN(size_t keep, rewindTo(wanted));
  output.follow(wanted);
  absl::Status shown;
  auto show = [&](int32_t id) {
    absl::StatusOr<bool> more = output.push(id);
    shown = more.status();
    return more.ok() && *more;
  };
  auto result =
      runtime::generate(session_, absl::MakeConstSpan(wanted).subspan(keep), options, show);
  if (result.ok())
    wanted.insert(wanted.end(), result->tokens.begin(), result->tokens.end());
  wanted.resize(session_.position()); // not fed: the last new token, or what came after a stop
  fed_ = std::move(wanted);
  LATHE_RETURN_IF_ERROR(shown);
  return result;
}

absl::StatusOr<runtime::GenerateResult> Conversation::answer(absl::string_view message,
                                                             runtime::GenerateOptions options,
                                                             std::vector<std::string> stops,
                                                             TextOutput::Sink sink) {
  nlohmann::ordered_json before = messages_;
  addMessage("user", message);
  TextOutput output(tokenizer_, std::move(stops), std::move(sink));
  absl::StatusOr<runtime::GenerateResult> result = generate(options, output);
  absl::Status status = result.ok() ? output.finish() : result.status();
  bool nothing_said =
      result.ok() && result->tokens.empty() && result->reason == runtime::StopReason::stopped;
  if (!status.ok() || nothing_said)
    messages_ = std::move(before);
  else
    addMessage("assistant", output.text());
  LATHE_RETURN_IF_ERROR(status);
  return result;
}

} // namespace lathe::cli
