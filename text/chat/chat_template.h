// Chat templates: the Jinja2 that comes with a checkpoint and turns messages into a prompt.
//
// Renders as Hugging Face's apply_chat_template does (trim_blocks, lstrip_blocks, an immutable
// sandbox, `raise_exception`, `strftime_now`, break and continue), so that the prompt is the one
// that the model was trained on. README.md says what of Jinja2 is left out.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include <nlohmann/json.hpp>

#include "text/chat/budget.h"

namespace lathe::text {

// Parsed once, rendered often. Rendering changes nothing in it: threads may share one.
class ChatTemplate {
public:
  // `source_name` is the file's name, for errors: "chat template 'tokenizer_config.json': line 3:
  // unknown filter 'foo'; ...".
  static absl::StatusOr<ChatTemplate> parse(absl::string_view source,
                                            absl::string_view source_name);

  ChatTemplate(ChatTemplate &&) noexcept;
  ChatTemplate &operator=(ChatTemplate &&) noexcept;
  ~ChatTemplate();

  // `context`: an object with messages, add_generation_prompt, tools, bos_token, eos_token and
  // whatever else a template may ask for. Errors:
  //   FAILED_PRECONDITION  the template called raise_exception; the message ends with its text
  //   INVALID_ARGUMENT     the template cannot be rendered with this context
  //   RESOURCE_EXHAUSTED   it went beyond `limits`
  absl::StatusOr<std::string> render(const nlohmann::ordered_json &context,
                                     const Limits &limits = {}) const;

private:
  struct Parsed;
  explicit ChatTemplate(std::unique_ptr<const Parsed> parsed);

  std::unique_ptr<const Parsed> parsed_;
};

} // namespace lathe::text
