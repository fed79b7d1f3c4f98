// Cuts a template into tokens. White space is settled here, as Jinja's lexer does with trim_blocks
// and lstrip_blocks on: what the parser sees as Data is what will be printed.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lathe::text {

enum class TokenKind {
  Data,
  VariableBegin,
  VariableEnd,
  BlockBegin,
  BlockEnd,
  Name,
  String, // unescaped
  Integer,
  Float,
  Operator,
  End
};

struct Token {
  TokenKind kind;
  std::string text; // digits without underscores
  int line;         // from 1
};

// The last token is End. Errors begin with "line N: ".
absl::StatusOr<std::vector<Token>> tokenize(absl::string_view source);

} // namespace lathe::text
