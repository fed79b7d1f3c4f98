// Where a checkpoint keeps its chat template, and the special tokens that the template prints.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include <nlohmann/json.hpp>

namespace lathe::text {

struct TemplateSource {
  std::string text;
  std::string name; // of the file it comes from, for ChatTemplate::parse
};

// `chat_template.jinja` wins over the key `chat_template` of tokenizer_config.json, which is a
// string or a list of {name, template}, of which "default" is taken. Both texts may be empty (no
// such file). NOT_FOUND if there is no template.
absl::StatusOr<TemplateSource> findChatTemplate(absl::string_view tokenizer_config_text,
                                                absl::string_view chat_template_jinja_text);

// {bos_token, eos_token, ...}: each special token of the config that is a string or an AddedToken
// object, as a string. What the config leaves out or has as null is left out. Not an error
// whatever the config holds.
nlohmann::ordered_json chatContextFromConfig(const nlohmann::ordered_json &tokenizer_config);

} // namespace lathe::text
