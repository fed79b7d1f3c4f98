// `lathe tokenize`: texts to ids and back, one line of JSON a text.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/file.h"
#include "base/json.h"
#include "base/status.h"
#include "text/tokenizer/stream.h"
#include "tools/lathe/console.h"
#include "tools/lathe/flags.h"
#include "tools/lathe/text_files.h"
#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

using Json = nlohmann::ordered_json;
using Ids = std::vector<int32_t>;

struct TokenizeFlags {
  std::string model;
  std::vector<std::string> texts;
  std::optional<std::string> jsonl, chat;
  bool no_special = false, decode = false, stream = false, skip_special = false;
};

absl::Status checkUsage(const TokenizeFlags &flags) {
  int inputs = !flags.texts.empty() + flags.jsonl.has_value() + flags.chat.has_value();
  if (inputs != 1)
    return usageError(absl::StrCat(inputs == 0 ? "nothing to tokenize" : "several inputs",
                                   "; give one of --text, --jsonl and --chat"));
  if (flags.chat && (flags.decode || flags.no_special))
    return usageError("--chat goes with neither --decode nor --no-special");
  if (flags.decode && flags.no_special)
    return usageError("--no-special is for encoding; with --decode it is --skip-special");
  if (!flags.decode && (flags.stream || flags.skip_special))
    return usageError("--stream and --skip-special are for --decode");
  return absl::OkStatus();
}

// One input, and where it stands.
struct Input {
  std::string where, text;
};

absl::StatusOr<std::vector<Input>> inputsOf(const TokenizeFlags &flags) {
  std::vector<Input> inputs;
  if (!flags.jsonl) {
    for (size_t i = 0; i < flags.texts.size(); ++i)
      inputs.push_back({absl::StrCat("--text ", i + 1), flags.texts[i]});
    return inputs;
  }
  LATHE_ASSIGN_OR_RETURN(std::string lines, readTextFile(*flags.jsonl));
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(lines, '\n')) {
    ++number;
    if (!absl::StripAsciiWhitespace(line).empty())
      inputs.push_back({absl::StrCat(*flags.jsonl, ":", number), std::string(line)});
  }
  return inputs;
}

absl::StatusOr<Ids> idsOf(const Input &input) {
  LATHE_ASSIGN_OR_RETURN(Json json, parseJson(input.text, input.where));
  Ids ids;
  bool fits = json.is_array();
  for (size_t i = 0; fits && i < json.size(); ++i) {
    fits = json[i].is_number_integer() && json[i] >= 0 && json[i] <= INT32_MAX;
    if (fits)
      ids.push_back(json[i].get<int32_t>());
  }
  if (!fits)
    return absl::InvalidArgumentError(
        absl::StrCat(input.where, ": should be an array of token ids, as [1, 5, 9]"));
  return ids;
}

absl::StatusOr<std::string> textOf(const Input &input, bool is_json) {
  if (!is_json)
    return input.text;
  LATHE_ASSIGN_OR_RETURN(Json json, parseJson(input.text, input.where));
  if (!json.is_string())
    return absl::InvalidArgumentError(absl::StrCat(input.where, ": is a ", json.type_name(),
                                                   "; each line should be a JSON string"));
  return json.get<std::string>();
}

// null where the text so far changes with an id, so that it has no pieces.
absl::StatusOr<Json> piecesOf(const text::Tokenizer &tokenizer, const Ids &ids, bool skip_special) {
  text::DecodeStream stream(tokenizer, skip_special);
  Json pieces = Json::array();
  for (int32_t id : ids) {
    absl::StatusOr<std::optional<std::string>> piece = stream.push(id);
    if (absl::IsFailedPrecondition(piece.status())) {
      printNote(piece.status().message());
      return Json(nullptr);
    }
    LATHE_RETURN_IF_ERROR(piece.status());
    pieces.push_back(*piece ? Json(**piece) : Json(nullptr));
  }
  return pieces;
}

absl::StatusOr<Json> decoded(const text::Tokenizer &tokenizer, const Input &input,
                             const TokenizeFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(Ids ids, idsOf(input));
  if (flags.stream)
    return piecesOf(tokenizer, ids, flags.skip_special);
  LATHE_ASSIGN_OR_RETURN(std::string text, tokenizer.decode(ids, flags.skip_special));
  return Json(std::move(text));
}

absl::StatusOr<Json> encoded(const text::Tokenizer &tokenizer, const Input &input,
                             const TokenizeFlags &flags) {
  LATHE_ASSIGN_OR_RETURN(std::string text, textOf(input, flags.jsonl.has_value()));
  LATHE_ASSIGN_OR_RETURN(Ids ids, tokenizer.encode(text, !flags.no_special));
  return Json(std::move(ids));
}

absl::Status tokenizeChat(const TextFiles &files, const text::Tokenizer &tokenizer,
                          const std::string &path) {
  LATHE_ASSIGN_OR_RETURN(ChatPrompt prompt, loadChatPrompt(files));
  LATHE_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  LATHE_ASSIGN_OR_RETURN(Json conversation, parseJson(text, path));
  if (!conversation.is_object() || !conversation.contains("messages"))
    return absl::InvalidArgumentError(absl::StrCat(
        path, R"(: should be an object with messages, as {"messages": [{"role": "user", )",
        R"("content": "Hi"}], "add_generation_prompt": true})"));
  prompt.context.update(conversation);
  LATHE_ASSIGN_OR_RETURN(std::string rendered, prompt.chat_template.render(prompt.context));
  LATHE_ASSIGN_OR_RETURN(Ids ids, tokenizer.encode(rendered, /*add_special=*/false));
  printJson(rendered);
  printJson(ids);
  return absl::OkStatus();
}

absl::Status run(const TokenizeFlags &flags) {
  LATHE_RETURN_IF_ERROR(checkUsage(flags));
  LATHE_ASSIGN_OR_RETURN(TextFiles files, readTextFiles(flags.model));
  LATHE_ASSIGN_OR_RETURN(text::Tokenizer tokenizer, loadTokenizer(files));
  if (flags.chat)
    return tokenizeChat(files, tokenizer, *flags.chat);
  LATHE_ASSIGN_OR_RETURN(std::vector<Input> inputs, inputsOf(flags));
  for (const Input &input : inputs) {
    auto line = flags.decode ? decoded(tokenizer, input, flags) : encoded(tokenizer, input, flags);
    if (!line.ok())
      return line.status();
    printJson(*line);
  }
  return absl::OkStatus();
}

Action declare(CLI::App &app) {
  auto flags = std::make_shared<TokenizeFlags>();
  addArgument(app, "FILE-or-MODEL", flags->model, "a compiled model, or a checkpoint's folder");
  addTexts(app, "--text", flags->texts, "T",
           "a text, or with --decode an array of ids (repeatable)");
  addText(app, "--jsonl", flags->jsonl, "F", "a file with one JSON string (array of ids) a line");
  addSwitch(app, "--no-special", flags->no_special, "without what the tokenizer adds, such as BOS");
  addSwitch(app, "--decode", flags->decode, "from ids to texts");
  addSwitch(app, "--stream", flags->stream,
            "with --decode: the piece of each id, null where nothing comes out yet");
  addSwitch(app, "--skip-special", flags->skip_special, "with --decode: leave special tokens out");
  addText(app, "--chat", flags->chat, "F",
          "a conversation (JSON: messages, tools, add_generation_prompt): prints the rendered\n"
          "template as a JSON string, and on the next line its ids");
  return [flags] { return run(*flags); };
}

} // namespace

const Verb kTokenize = {"tokenize", "FILE-or-MODEL", "ids of a text, one JSON array a text",
                        "lathe tokenize tests/data/stories_mla --text \"Once upon a time\"",
                        declare};

} // namespace lathe::cli
