#include "tools/lathe/text_files.h"

#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "base/status.h"
#include "text/chat/template_source.h"

namespace lathe::cli {
namespace {

absl::StatusOr<std::string> sectionText(const artifact::Artifact &artifact,
                                        const std::string &name) {
  if (!artifact.findSection(name))
    return "";
  LATHE_RETURN_IF_ERROR(artifact.verifySection(name));
  LATHE_ASSIGN_OR_RETURN(absl::Span<const uint8_t> bytes, artifact.section(name));
  return std::string(bytes.begin(), bytes.end());
}

absl::StatusOr<std::string> fileText(const std::string &folder, const std::string &name) {
  std::string path = absl::StrCat(folder, "/", name);
  if (!fileExists(path))
    return "";
  return readTextFile(path);
}

template <typename Read> absl::StatusOr<TextFiles> readAll(const std::string &source, Read read) {
  TextFiles files;
  files.source = source;
  LATHE_ASSIGN_OR_RETURN(files.tokenizer, read("tokenizer.json"));
  LATHE_ASSIGN_OR_RETURN(files.tokenizer_config, read("tokenizer_config.json"));
  LATHE_ASSIGN_OR_RETURN(files.chat_template, read("chat_template.jinja"));
  return files;
}

} // namespace

absl::StatusOr<TextFiles> textFilesOf(const artifact::Artifact &artifact) {
  return readAll(artifact.path(), [&](const char *name) { return sectionText(artifact, name); });
}

absl::StatusOr<TextFiles> readTextFiles(const std::string &file_or_folder) {
  std::error_code error;
  if (std::filesystem::is_directory(file_or_folder, error))
    return readAll(file_or_folder,
                   [&](const char *name) { return fileText(file_or_folder, name); });
  LATHE_ASSIGN_OR_RETURN(artifact::Artifact artifact, artifact::Artifact::open(file_or_folder));
  return textFilesOf(artifact);
}

absl::StatusOr<text::Tokenizer> loadTokenizer(const TextFiles &files) {
  if (files.tokenizer.empty())
    return absl::NotFoundError(absl::StrCat(
        files.source, ": has no tokenizer.json, so it takes and gives token ids only"));
  return text::Tokenizer::load(files.tokenizer, absl::StrCat(files.source, ": tokenizer.json"),
                               files.tokenizer_config);
}

absl::StatusOr<ChatPrompt> loadChatPrompt(const TextFiles &files) {
  absl::StatusOr<text::TemplateSource> source =
      text::findChatTemplate(files.tokenizer_config, files.chat_template);
  if (!source.ok())
    return prefixed(source.status(), absl::StrCat(files.source, ": "));
  LATHE_ASSIGN_OR_RETURN(text::ChatTemplate parsed,
                         text::ChatTemplate::parse(source->text, source->name));
  nlohmann::ordered_json context = nlohmann::ordered_json::object();
  if (!files.tokenizer_config.empty()) {
    LATHE_ASSIGN_OR_RETURN(nlohmann::ordered_json config,
                           parseJson(files.tokenizer_config, "tokenizer_config.json"));
    context = text::chatContextFromConfig(config);
  }
  return ChatPrompt{std::move(parsed), std::move(context)};
}

} // namespace lathe::cli
