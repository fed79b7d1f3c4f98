// Tokens to a tree, by the grammar of Jinja2's own parser (jinja2/parser.py), function by function.
#pragma once

#include "absl/status/statusor.h"
#include "text/chat/ast.h"
#include "text/chat/lexer.h"

namespace lathe::text {

// Errors begin with "line N: ". A filter or test that does not exist is refused here, unless it
// stands where it may never run (inside an `if`): then it is refused when it runs, as in Jinja2.
absl::StatusOr<ast::Body> parseTemplate(std::vector<Token> tokens);

} // namespace lathe::text
