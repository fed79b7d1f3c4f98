#include "text/chat/template_source.h"

#include "base/json.h"
#include "base/status.h"

namespace lathe::text {
namespace {

using Json = nlohmann::ordered_json;

constexpr absl::string_view kConfigName = "tokenizer_config.json";

absl::Status noTemplate() {
  return absl::NotFoundError(absl::StrCat(
      "the checkpoint has no chat template: neither a file chat_template.jinja nor a key "
      "'chat_template' in ",
      kConfigName));
}

// Null where `json` has no such string.
const std::string *stringAt(const Json &json, const char *key) {
  if (!json.is_object())
    return nullptr;
  auto found = json.find(key);
  return found != json.end() && found->is_string() ? &found->get_ref<const std::string &>()
                                                   : nullptr;
}

absl::StatusOr<std::string> defaultOf(const Json &list) {
  std::string names;
  for (const Json &entry : list) {
    const std::string *name = stringAt(entry, "name"), *text = stringAt(entry, "template");
    if (!name || !text)
      return absl::InvalidArgumentError(absl::StrCat(
          kConfigName,
          ": 'chat_template' is a list; each entry should have a name and a template"));
    if (*name == "default")
      return *text;
    absl::StrAppend(&names, names.empty() ? "" : ", ", *name);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      kConfigName, ": 'chat_template' is a list without an entry named 'default'; it has ",
      names.empty() ? "none" : names));
}

// A string, or an AddedToken with its text in `content`.
const std::string *tokenText(const Json &token) {
  return token.is_string() ? &token.get_ref<const std::string &>() : stringAt(token, "content");
}

} // namespace

absl::StatusOr<TemplateSource> findChatTemplate(absl::string_view tokenizer_config_text,
                                                absl::string_view chat_template_jinja_text) {
  if (!chat_template_jinja_text.empty())
    return TemplateSource{std::string(chat_template_jinja_text), "chat_template.jinja"};
  if (tokenizer_config_text.empty())
    return noTemplate();
  LATHE_ASSIGN_OR_RETURN(Json config, parseJson(tokenizer_config_text, kConfigName));
  auto found = config.is_object() ? config.find("chat_template") : config.end();
  if (found == config.end() || found->is_null())
    return noTemplate();
  std::string text;
  if (found->is_array()) {
    LATHE_ASSIGN_OR_RETURN(text, defaultOf(*found));
  } else if (found->is_string()) {
    text = found->get<std::string>();
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat(kConfigName, ": 'chat_template' is a ", found->type_name(),
                     "; it should be a string or a list of named templates"));
  }
  return TemplateSource{std::move(text), std::string(kConfigName)};
}

nlohmann::ordered_json chatContextFromConfig(const nlohmann::ordered_json &tokenizer_config) {
  static constexpr const char *kTokens[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                            "pad_token", "cls_token", "mask_token"};
  Json context = Json::object();
  for (const char *key : kTokens) {
    if (!tokenizer_config.is_object() || !tokenizer_config.contains(key))
      continue;
    if (const std::string *text = tokenText(tokenizer_config[key]))
      context[key] = *text;
  }
  return context;
}

} // namespace lathe::text
