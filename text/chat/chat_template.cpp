#include "text/chat/chat_template.h"

#include "base/status.h"
#include "text/chat/from_json.h"
#include "text/chat/interpreter.h"
#include "text/chat/lexer.h"
#include "text/chat/parser.h"
#include "text/chat/python_text.h"

namespace lathe::text {
namespace {

constexpr size_t kMaxSourceBytes = 4u << 20;

absl::Status checkSource(absl::string_view source) {
  if (source.size() > kMaxSourceBytes)
    return absl::InvalidArgumentError(
        absl::StrCat("is ", source.size(), " bytes; it may have ", kMaxSourceBytes));
  if (size_t bad = findInvalidUtf8(source); bad != absl::string_view::npos)
    return absl::InvalidArgumentError(absl::StrCat("byte ", bad, " is not valid UTF-8"));
  return absl::OkStatus();
}

absl::StatusOr<ast::Body> parseSource(absl::string_view source) {
  LATHE_RETURN_IF_ERROR(checkSource(source));
  LATHE_ASSIGN_OR_RETURN(std::vector<Token> tokens, tokenize(source));
  return parseTemplate(std::move(tokens));
}

} // namespace

struct ChatTemplate::Parsed {
  std::string prefix; // of errors
  ast::Body body;
};

ChatTemplate::ChatTemplate(std::unique_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
ChatTemplate::ChatTemplate(ChatTemplate &&) noexcept = default;
ChatTemplate &ChatTemplate::operator=(ChatTemplate &&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

absl::StatusOr<ChatTemplate> ChatTemplate::parse(absl::string_view source,
                                                 absl::string_view source_name) {
  auto parsed = std::make_unique<Parsed>();
  parsed->prefix = absl::StrCat("chat template '", source_name, "': ");
  absl::StatusOr<ast::Body> body = parseSource(source);
  if (!body.ok())
    return prefixed(body.status(), parsed->prefix);
  parsed->body = *std::move(body);
  return ChatTemplate(std::move(parsed));
}

absl::StatusOr<std::string> ChatTemplate::render(const nlohmann::ordered_json &context,
                                                 const Limits &limits) const {
  absl::StatusOr<Value> values = valueFromJson(context);
  if (values.ok() && !values->mapping())
    values = absl::InvalidArgumentError("the context is not an object");
  if (!values.ok())
    return prefixed(values.status(), parsed_->prefix);
  Interpreter interpreter(limits);
  absl::StatusOr<std::string> text = interpreter.render(parsed_->body, *values->mapping());
  if (!text.ok())
    return prefixed(text.status(),
                    absl::StrCat(parsed_->prefix, "line ", interpreter.failedLine(), ": "));
  return text;
}

} // namespace lathe::text
