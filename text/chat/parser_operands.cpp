// What operators stand between: literals, names, calls, filters and tests.
#include "absl/strings/numbers.h"

#include "text/chat/filters.h"
#include "text/chat/parser_impl.h"
#include "text/chat/tests.h"

namespace lathe::text {

using ast::ExprPtr;

Parser::Expression Parser::make(int line, ast::Node node) {
  int depth = ast::depthBelow(node) + 1;
  if (depth > kMaxTreeDepth)
    return faultAt(line,
                   absl::StrCat("an expression nests deeper than ", kMaxTreeDepth, " levels"));
  return std::make_unique<ast::Expr>(ast::Expr{line, depth, std::move(node)});
}

void Parser::noteUnknown(absl::Status known) {
  if (conditionals_ == 0 && unknown_.ok() && !known.ok())
    unknown_ = fault(known.message());
}

void Parser::noteName(absl::string_view name) {
  for (ast::Macro *macro : macros_) {
    macro->takes_varargs |= name == "varargs";
    macro->takes_kwargs |= name == "kwargs";
  }
}

Parser::Expression Parser::parsePrimary() {
  switch (current().kind) {
  case TokenKind::Name: return parseNameOrConstant();
  case TokenKind::String: return parseStrings();
  case TokenKind::Integer:
  case TokenKind::Float: return parseNumber();
  default: break;
  }
  if (isOperator("["))
    return parseList();
  if (isOperator("{"))
    return parseDict();
  if (!skipOperator("("))
    return unexpected("an expression");
  LATHE_ASSIGN_OR_RETURN(ExprPtr inner, parseTuple(true, true));
  LATHE_RETURN_IF_ERROR(expectOperator(")"));
  return inner;
}

Parser::Expression Parser::parseNameOrConstant() {
  Token token = take();
  if (token.text == "true" || token.text == "True")
    return make(token.line, ast::Literal{Value(true)});
  if (token.text == "false" || token.text == "False")
    return make(token.line, ast::Literal{Value(false)});
  if (token.text == "none" || token.text == "None")
    return make(token.line, ast::Literal{Value(None{})});
  noteName(token.text);
  return make(token.line, ast::Name{std::move(token.text)});
}

Parser::Expression Parser::parseNumber() {
  Token token = take();
  double real = 0;
  int64_t integer = 0;
  if (token.kind == TokenKind::Float && absl::SimpleAtod(token.text, &real))
    return make(token.line, ast::Literal{Value(real)});
  if (token.kind == TokenKind::Integer && absl::SimpleAtoi(token.text, &integer))
    return make(token.line, ast::Literal{Value(integer)});
  return faultAt(token.line,
                 absl::StrCat("the number ", token.text.substr(0, 40), " does not fit in 64 bits"));
}

// "a" "b" is "ab".
Parser::Expression Parser::parseStrings() {
  Token token = take();
  while (current().kind == TokenKind::String)
    token.text += take().text;
  return make(token.line, ast::Literal{Value(std::move(token.text))});
}

Parser::Expression Parser::parseList() {
  int line = take().line;
  ast::ListDisplay list{{}, SequenceKind::List};
  while (!isOperator("]")) {
    if (!list.items.empty())
      LATHE_RETURN_IF_ERROR(expectOperator(","));
    if (isOperator("]"))
      break;
    LATHE_ASSIGN_OR_RETURN(ExprPtr item, parseExpression());
    list.items.push_back(std::move(item));
  }
  LATHE_RETURN_IF_ERROR(expectOperator("]"));
  return make(line, std::move(list));
}

Parser::Expression Parser::parseDict() {
  int line = take().line;
  ast::DictDisplay dict;
  while (!isOperator("}")) {
    if (!dict.entries.empty())
      LATHE_RETURN_IF_ERROR(expectOperator(","));
    if (isOperator("}"))
      break;
    LATHE_ASSIGN_OR_RETURN(ExprPtr key, parseExpression());
    LATHE_RETURN_IF_ERROR(expectOperator(":"));
    LATHE_ASSIGN_OR_RETURN(ExprPtr value, parseExpression());
    dict.entries.emplace_back(std::move(key), std::move(value));
  }
  LATHE_RETURN_IF_ERROR(expectOperator("}"));
  return make(line, std::move(dict));
}

Parser::Expression Parser::parsePostfix(ExprPtr expr) {
  for (;;) {
    if (isOperator(".")) {
      LATHE_ASSIGN_OR_RETURN(expr, parseAttribute(std::move(expr)));
    } else if (isOperator("[")) {
      LATHE_ASSIGN_OR_RETURN(expr, parseSubscript(std::move(expr)));
    } else if (isOperator("(")) {
      LATHE_ASSIGN_OR_RETURN(expr, parseCall(std::move(expr)));
    } else {
      return expr;
    }
  }
}

Parser::Expression Parser::parseFiltersAndTests(ExprPtr expr) {
  for (;;) {
    if (isOperator("|")) {
      LATHE_ASSIGN_OR_RETURN(expr, parseFilterChain(std::move(expr)));
    } else if (isName("is")) {
      LATHE_ASSIGN_OR_RETURN(expr, parseTest(std::move(expr)));
    } else if (isOperator("(")) {
      LATHE_ASSIGN_OR_RETURN(expr, parseCall(std::move(expr)));
    } else {
      return expr;
    }
  }
}

Parser::Expression Parser::parseAttribute(ExprPtr object) {
  int line = take().line;
  if (current().kind == TokenKind::Integer) {
    LATHE_ASSIGN_OR_RETURN(ExprPtr index, parseNumber());
    return make(line, ast::Subscript{std::move(object), std::move(index)});
  }
  LATHE_ASSIGN_OR_RETURN(std::string name, takeName("an attribute's name"));
  return make(line, ast::Attribute{std::move(object), std::move(name)});
}

Parser::Expression Parser::parseSubscript(ExprPtr object) {
  int line = take().line;
  ExprPtr parts[3];
  int count = 0;
  if (!isOperator(":")) {
    LATHE_ASSIGN_OR_RETURN(parts[0], parseExpression());
  }
  while (count < 2 && skipOperator(":")) {
    ++count;
    if (!isOperator(":") && !isOperator("]")) {
      LATHE_ASSIGN_OR_RETURN(parts[count], parseExpression());
    }
  }
  if (isOperator(","))
    return fault("a tuple as an index is not offered");
  LATHE_RETURN_IF_ERROR(expectOperator("]"));
  if (count == 0)
    return make(line, ast::Subscript{std::move(object), std::move(parts[0])});
  return make(line, ast::Slice{std::move(object), std::move(parts[0]), std::move(parts[1]),
                               std::move(parts[2])});
}

Parser::Expression Parser::parseCall(ExprPtr callee) {
  int line = current().line;
  LATHE_ASSIGN_OR_RETURN(ast::Arguments arguments, parseArguments());
  return make(line, ast::Call{std::move(callee), std::move(arguments)});
}

absl::StatusOr<ast::Arguments> Parser::parseArguments() {
  LATHE_RETURN_IF_ERROR(expectOperator("("));
  ast::Arguments arguments;
  bool needs_comma = false;
  while (!isOperator(")")) {
    if (needs_comma)
      LATHE_RETURN_IF_ERROR(expectOperator(","));
    if (isOperator(")"))
      break;
    LATHE_RETURN_IF_ERROR(parseArgument(arguments));
    needs_comma = true;
  }
  LATHE_RETURN_IF_ERROR(expectOperator(")"));
  return arguments;
}

absl::Status Parser::parseArgument(ast::Arguments &arguments) {
  int line = current().line;
  bool is_named = current().kind == TokenKind::Name && ahead().kind == TokenKind::Operator &&
                  ahead().text == "=";
  bool after_spread =
      arguments.spread_named || (arguments.spread && !is_named && !isOperator("**"));
  if (after_spread)
    return faultAt(line, "an argument stands behind one that is unpacked");
  if (skipOperator("*")) {
    LATHE_ASSIGN_OR_RETURN(arguments.spread, parseExpression());
  } else if (skipOperator("**")) {
    LATHE_ASSIGN_OR_RETURN(arguments.spread_named, parseExpression());
  } else if (is_named) {
    std::string name = take().text;
    take();
    LATHE_ASSIGN_OR_RETURN(ExprPtr value, parseExpression());
    arguments.named.emplace_back(std::move(name), std::move(value));
  } else if (!arguments.named.empty()) {
    return faultAt(line, "an argument without a name stands behind one with a name");
  } else {
    LATHE_ASSIGN_OR_RETURN(ExprPtr value, parseExpression());
    arguments.positional.push_back(std::move(value));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Parser::parseDottedName(absl::string_view what) {
  LATHE_ASSIGN_OR_RETURN(std::string name, takeName(what));
  while (skipOperator(".")) {
    LATHE_ASSIGN_OR_RETURN(std::string part, takeName(what));
    absl::StrAppend(&name, ".", part);
  }
  return name;
}

// Null where no '|' stands and nothing stood before it.
Parser::Expression Parser::parseFilterChain(ExprPtr subject) {
  while (skipOperator("|")) {
    LATHE_ASSIGN_OR_RETURN(subject, parseFilter(std::move(subject)));
  }
  return subject;
}

Parser::Expression Parser::parseFilter(ExprPtr subject) {
  int line = current().line;
  ast::Filter node;
  node.subject = std::move(subject);
  LATHE_ASSIGN_OR_RETURN(node.name, parseDottedName("a filter's name"));
  noteUnknown(findFilter(node.name).status());
  if (isOperator("(")) {
    LATHE_ASSIGN_OR_RETURN(node.arguments, parseArguments());
  }
  return make(line, std::move(node));
}

Parser::Expression Parser::parseTest(ExprPtr subject) {
  int line = take().line;
  bool is_negated = skipName("not");
  ast::Test node;
  node.subject = std::move(subject);
  LATHE_ASSIGN_OR_RETURN(node.name, parseDottedName("a test's name"));
  noteUnknown(findTest(node.name).status());
  LATHE_ASSIGN_OR_RETURN(node.arguments, parseTestArguments());
  LATHE_ASSIGN_OR_RETURN(ExprPtr test, make(line, std::move(node)));
  if (!is_negated)
    return test;
  return make(line, ast::Unary{ast::UnaryOp::Not, std::move(test)});
}

// `is divisibleby(3)` or `is divisibleby 3`.
absl::StatusOr<ast::Arguments> Parser::parseTestArguments() {
  ast::Arguments arguments;
  if (isOperator("("))
    return parseArguments();
  TokenKind kind = current().kind;
  bool begins_operand = kind == TokenKind::Name || kind == TokenKind::String ||
                        kind == TokenKind::Integer || kind == TokenKind::Float || isOperator("[") ||
                        isOperator("{");
  if (!begins_operand || isName("else") || isName("or") || isName("and"))
    return arguments;
  if (isName("is"))
    return fault("tests cannot be chained with 'is'; join them with 'and'");
  LATHE_ASSIGN_OR_RETURN(ExprPtr operand, parsePrimary());
  LATHE_ASSIGN_OR_RETURN(operand, parsePostfix(std::move(operand)));
  arguments.positional.push_back(std::move(operand));
  return arguments;
}

} // namespace lathe::text
