// A conversation with a model: its history as the chat template spells it, and the session that has
// read most of it already.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include <nlohmann/json.hpp>

#include "runtime/generate/generate.h"
#include "runtime/session/session.h"
#include "tools/lathe/text_files.h"
#include "tools/lathe/text_output.h"

namespace lathe::cli {

// How many of the ids that a session was fed are also the beginning of what it should be fed now.
// At least one id is left to feed, because logits come only with a token.
size_t reusablePrefix(absl::Span<const int32_t> fed, absl::Span<const int32_t> wanted);

// Not thread-safe. The session must be empty at first, and is used by nothing else.
class Conversation {
public:
  Conversation(ChatPrompt prompt, const text::Tokenizer &tokenizer, runtime::Session &session)
      : prompt_(std::move(prompt)), tokenizer_(tokenizer), session_(session),
        messages_(nlohmann::ordered_json::array()) {}

  // Feeds what is new since the last answer and generates; `sink` sees the text as it comes. An
  // answer that was stopped stays in the history as far as it went. After an error, and when it was
  // stopped before its first token, the history is as if the message had not been sent.
  //   OUT_OF_RANGE  the conversation does not fit into the context
  absl::StatusOr<runtime::GenerateResult> answer(absl::string_view message,
                                                 runtime::GenerateOptions options,
                                                 std::vector<std::string> stops,
                                                 TextOutput::Sink sink);
  void forget(); // an empty history

private:
  absl::StatusOr<std::vector<int32_t>> render() const;
  absl::StatusOr<size_t> rewindTo(absl::Span<const int32_t> wanted);
  absl::StatusOr<runtime::GenerateResult> generate(const runtime::GenerateOptions &options,
                                                   TextOutput &output);
  void addMessage(const char *role, absl::string_view content);

  ChatPrompt prompt_;
  const text::Tokenizer &tokenizer_;
  runtime::Session &session_;
  nlohmann::ordered_json messages_;
  std::vector<int32_t> fed_; // what the session holds, token by token
};

} // namespace lathe::cli
