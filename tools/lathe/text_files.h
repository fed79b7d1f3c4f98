// The texts that turn words into ids, out of an artifact or a checkpoint's folder.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include <nlohmann/json.hpp>

#include "artifact/reader.h"
#include "text/chat/chat_template.h"
#include "text/tokenizer/tokenizer.h"

namespace lathe::cli {

// Empty where the model has no such text.
struct TextFiles {
  std::string source; // path of the artifact or folder, for errors
  std::string tokenizer, tokenizer_config, chat_template;
};

// DATA_LOSS where a section's digest is wrong.
absl::StatusOr<TextFiles> textFilesOf(const artifact::Artifact &artifact);
absl::StatusOr<TextFiles> readTextFiles(const std::string &file_or_folder);

// NOT_FOUND where the model has no tokenizer.
absl::StatusOr<text::Tokenizer> loadTokenizer(const TextFiles &files);

struct ChatPrompt {
  text::ChatTemplate chat_template;
  nlohmann::ordered_json context; // bos_token, eos_token, ...; messages are added to it
};

// NOT_FOUND where the model has no chat template.
absl::StatusOr<ChatPrompt> loadChatPrompt(const TextFiles &files);

} // namespace lathe::cli
