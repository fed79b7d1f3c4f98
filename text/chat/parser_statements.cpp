#include "text/chat/parser_impl.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"

#include "text/chat/known_names.h"

namespace lathe::text {
namespace {

constexpr absl::string_view kStatements[] = {"set",      "if",    "for",        "macro",
                                             "filter",   "with",  "generation", "break",
                                             "continue", "print", "raw"};
// Jinja2 has these; a chat template is one file, printed once, with nothing escaped.
constexpr absl::string_view kRefused[] = {"include", "import", "from",       "extends", "block",
                                          "call",    "do",     "autoescape", "trans",   "debug"};

template <typename Node> ast::Statement statement(int line, Node node) {
  return {line, std::move(node)};
}

} // namespace

absl::StatusOr<ast::Body> parseTemplate(std::vector<Token> tokens) {
  return Parser(std::move(tokens)).parseAll();
}

Token Parser::take() {
  Token token = current();
  if (token.kind != TokenKind::End)
    ++at_;
  return token;
}

bool Parser::isOperator(absl::string_view text) const {
  return current().kind == TokenKind::Operator && current().text == text;
}

bool Parser::isName(absl::string_view text) const {
  return current().kind == TokenKind::Name && current().text == text;
}

bool Parser::skipOperator(absl::string_view text) {
  bool found = isOperator(text);
  at_ += found;
  return found;
}

bool Parser::skipName(absl::string_view text) {
  bool found = isName(text);
  at_ += found;
  return found;
}

absl::Status Parser::faultAt(int line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", what));
}

absl::Status Parser::unexpected(absl::string_view wanted) const {
  const Token &token = current();
  std::string found = token.kind == TokenKind::End    ? "the template ends"
                      : token.kind == TokenKind::Data ? "text stands"
                                                      : absl::StrCat("'", token.text, "' stands");
  return fault(absl::StrCat(found, " where ", wanted, " should be"));
}

absl::Status Parser::expectOperator(absl::string_view text) {
  return skipOperator(text) ? absl::OkStatus() : unexpected(absl::StrCat("'", text, "'"));
}

absl::Status Parser::expectName(absl::string_view text) {
  return skipName(text) ? absl::OkStatus() : unexpected(absl::StrCat("'", text, "'"));
}

absl::StatusOr<std::string> Parser::takeName(absl::string_view what) {
  if (current().kind != TokenKind::Name)
    return unexpected(what);
  return take().text;
}

absl::Status Parser::expectBlockEnd() {
  if (current().kind != TokenKind::BlockEnd)
    return unexpected("'%}'");
  take();
  return absl::OkStatus();
}

absl::StatusOr<ast::Body> Parser::parseAll() {
  LATHE_ASSIGN_OR_RETURN(ast::Body body, parseBody({}));
  LATHE_RETURN_IF_ERROR(unknown_);
  return body;
}

// Stops at an end's name, behind its "{%"; without `ends`, at the end of the template.
absl::StatusOr<ast::Body> Parser::parseBody(EndNames ends) {
  Depth depth(*this);
  LATHE_RETURN_IF_ERROR(depth.check());
  ast::Body body;
  while (current().kind != TokenKind::End) {
    Token token = take();
    if (token.kind == TokenKind::Data) {
      body.push_back(statement(token.line, ast::Data{std::move(token.text)}));
    } else if (token.kind == TokenKind::VariableBegin) {
      LATHE_RETURN_IF_ERROR(parsePrint(body));
    } else {
      bool is_end = current().kind == TokenKind::Name &&
                    std::find(ends.begin(), ends.end(), current().text) != ends.end();
      if (is_end)
        return body;
      LATHE_RETURN_IF_ERROR(parseStatement(body));
    }
  }
  if (!ends.empty())
    return fault(
        absl::StrCat("the template ends before '{% ", absl::StrJoin(ends, " %}' or '{% "), " %}'"));
  return body;
}

absl::StatusOr<ast::Body> Parser::parseTagBody(EndNames ends) {
  skipOperator(":");
  LATHE_RETURN_IF_ERROR(expectBlockEnd());
  return parseBody(ends);
}

absl::StatusOr<ast::Body> Parser::parseClosedBody(absl::string_view end) {
  LATHE_ASSIGN_OR_RETURN(ast::Body body, parseTagBody({end}));
  take();
  return body;
}

absl::Status Parser::parsePrint(ast::Body &body) {
  int line = current().line;
  LATHE_ASSIGN_OR_RETURN(ast::ExprPtr expr, parseTuple(true, false));
  if (current().kind != TokenKind::VariableEnd)
    return unexpected("'}}'");
  take();
  ast::Print print;
  print.expressions.push_back(std::move(expr));
  body.push_back(statement(line, std::move(print)));
  return absl::OkStatus();
}

// From behind "{%" to behind "%}".
absl::Status Parser::parseStatement(ast::Body &body) {
  int line = current().line;
  LATHE_ASSIGN_OR_RETURN(std::string name, takeName("a statement's name"));
  LATHE_ASSIGN_OR_RETURN(ast::Statement parsed, parseKnownStatement(name, line));
  LATHE_RETURN_IF_ERROR(expectBlockEnd());
  body.push_back(std::move(parsed));
  return absl::OkStatus();
}

absl::StatusOr<ast::Statement> Parser::parseKnownStatement(absl::string_view name, int line) {
  if (name == "set")
    return parseSet(line);
  if (name == "if")
    return parseIf(line);
  if (name == "for")
    return parseFor(line);
  if (name == "macro")
    return parseMacro(line);
  if (name == "filter")
    return parseFilterBlock(line);
  if (name == "with")
    return parseWith(line);
  if (name == "generation")
    return parseGeneration(line);
  if (name == "break" || name == "continue")
    return parseLoopControl(name, line);
  if (name == "print")
    return parsePrintStatement(line);
  return faultAt(line, unknownName("statement", name, kStatements, kRefused));
}

absl::StatusOr<ast::Statement> Parser::parseSet(int line) {
  LATHE_ASSIGN_OR_RETURN(ast::Target target, parseTarget(true));
  if (skipOperator("=")) {
    LATHE_ASSIGN_OR_RETURN(ast::ExprPtr value, parseTuple(true, false));
    return statement(line, ast::Set{std::move(target), std::move(value)});
  }
  LATHE_ASSIGN_OR_RETURN(ast::ExprPtr filter, parseFilterChain(nullptr));
  LATHE_ASSIGN_OR_RETURN(ast::Body body, parseClosedBody("endset"));
  return statement(line, ast::SetBlock{std::move(target), std::move(filter), std::move(body)});
}

absl::StatusOr<ast::Statement> Parser::parseIf(int line) {
  ast::If node;
  ++conditionals_;
  std::string ended_by = "elif";
  while (ended_by == "elif") {
    LATHE_ASSIGN_OR_RETURN(ast::ExprPtr condition, parseTuple(false, false));
    LATHE_ASSIGN_OR_RETURN(ast::Body body, parseTagBody({"elif", "else", "endif"}));
    node.branches.emplace_back(std::move(condition), std::move(body));
    ended_by = take().text;
  }
  if (ended_by == "else") {
    LATHE_ASSIGN_OR_RETURN(node.otherwise, parseClosedBody("endif"));
  }
  --conditionals_;
  return statement(line, std::move(node));
}

absl::StatusOr<ast::Statement> Parser::parseFor(int line) {
  ast::For node;
  LATHE_ASSIGN_OR_RETURN(node.target, parseTarget(false));
  LATHE_RETURN_IF_ERROR(expectName("in"));
  LATHE_ASSIGN_OR_RETURN(node.iterable, parseTuple(false, false, "recursive"));
  if (skipName("if")) {
    LATHE_ASSIGN_OR_RETURN(node.condition, parseExpression());
  }
  if (isName("recursive"))
    return fault("a recursive for is not offered; use a macro that calls itself");
  ++loops_;
  LATHE_ASSIGN_OR_RETURN(node.body, parseTagBody({"endfor", "else"}));
  --loops_;
  if (take().text == "else") {
    LATHE_ASSIGN_OR_RETURN(node.otherwise, parseClosedBody("endfor"));
  }
  return statement(line, std::move(node));
}

absl::StatusOr<ast::Statement> Parser::parseMacro(int line) {
  auto node = std::make_unique<ast::Macro>();
  LATHE_ASSIGN_OR_RETURN(node->name, takeName("a macro's name"));
  LATHE_ASSIGN_OR_RETURN(node->parameters, parseParameters());
  macros_.push_back(node.get());
  int outer_loops = std::exchange(loops_, 0);
  LATHE_ASSIGN_OR_RETURN(node->body, parseClosedBody("endmacro"));
  loops_ = outer_loops;
  macros_.pop_back();
  return statement(line, std::move(node));
}

absl::StatusOr<std::vector<ast::Parameter>> Parser::parseParameters() {
  std::vector<ast::Parameter> parameters;
  LATHE_RETURN_IF_ERROR(expectOperator("("));
  while (!isOperator(")")) {
    if (!parameters.empty())
      LATHE_RETURN_IF_ERROR(expectOperator(","));
    ast::Parameter parameter;
    LATHE_ASSIGN_OR_RETURN(parameter.name, takeName("a parameter's name"));
    if (skipOperator("=")) {
      LATHE_ASSIGN_OR_RETURN(parameter.fallback, parseExpression());
    } else if (!parameters.empty() && parameters.back().fallback) {
      return fault(
          absl::StrCat("parameter '", parameter.name, "' has no default but follows one that has"));
    }
    parameters.push_back(std::move(parameter));
  }
  LATHE_RETURN_IF_ERROR(expectOperator(")"));
  return parameters;
}

absl::StatusOr<ast::Statement> Parser::parseFilterBlock(int line) {
  LATHE_ASSIGN_OR_RETURN(ast::ExprPtr first, parseFilter(nullptr));
  LATHE_ASSIGN_OR_RETURN(ast::ExprPtr filter, parseFilterChain(std::move(first)));
  LATHE_ASSIGN_OR_RETURN(ast::Body body, parseClosedBody("endfilter"));
  return statement(line, ast::FilterBlock{std::move(filter), std::move(body)});
}

absl::StatusOr<ast::Statement> Parser::parseWith(int line) {
  ast::With node;
  while (current().kind != TokenKind::BlockEnd) {
    if (!node.bindings.empty())
      LATHE_RETURN_IF_ERROR(expectOperator(","));
    LATHE_ASSIGN_OR_RETURN(ast::Target target, parseTarget(false));
    LATHE_RETURN_IF_ERROR(expectOperator("="));
    LATHE_ASSIGN_OR_RETURN(ast::ExprPtr value, parseExpression());
    node.bindings.emplace_back(std::move(target), std::move(value));
  }
  LATHE_ASSIGN_OR_RETURN(node.body, parseClosedBody("endwith"));
  return statement(line, std::move(node));
}

absl::StatusOr<ast::Statement> Parser::parseGeneration(int line) {
  LATHE_ASSIGN_OR_RETURN(ast::Body body, parseClosedBody("endgeneration"));
  return statement(line, ast::Generation{std::move(body)});
}

absl::StatusOr<ast::Statement> Parser::parseLoopControl(absl::string_view name, int line) {
  if (loops_ == 0)
    return faultAt(line, absl::StrCat("'", name, "' stands outside of a for"));
  if (name == "break")
    return statement(line, ast::Break{});
  return statement(line, ast::Continue{});
}

absl::StatusOr<ast::Statement> Parser::parsePrintStatement(int line) {
  ast::Print print;
  while (current().kind != TokenKind::BlockEnd) {
    if (!print.expressions.empty())
      LATHE_RETURN_IF_ERROR(expectOperator(","));
    LATHE_ASSIGN_OR_RETURN(ast::ExprPtr expr, parseExpression());
    print.expressions.push_back(std::move(expr));
  }
  return statement(line, std::move(print));
}

absl::StatusOr<ast::Target> Parser::parseTarget(bool allows_namespace) {
  LATHE_ASSIGN_OR_RETURN(ast::Target first, parseSingleTarget(allows_namespace));
  if (!isOperator(","))
    return first;
  ast::Target tuple;
  tuple.is_tuple = true;
  tuple.parts.push_back(std::move(first));
  while (skipOperator(",") && !isTupleEnd("in") && !isOperator("=")) {
    LATHE_ASSIGN_OR_RETURN(ast::Target part, parseSingleTarget(allows_namespace));
    tuple.parts.push_back(std::move(part));
  }
  return tuple;
}

absl::StatusOr<ast::Target> Parser::parseSingleTarget(bool allows_namespace) {
  Depth depth(*this);
  LATHE_RETURN_IF_ERROR(depth.check());
  if (skipOperator("(")) {
    LATHE_ASSIGN_OR_RETURN(ast::Target inner, parseTarget(allows_namespace));
    LATHE_RETURN_IF_ERROR(expectOperator(")"));
    return inner;
  }
  ast::Target target;
  LATHE_ASSIGN_OR_RETURN(target.name, takeName("a name to assign to"));
  static constexpr absl::string_view kConstants[] = {"true", "false", "none",
                                                     "True", "False", "None"};
  if (std::find(std::begin(kConstants), std::end(kConstants), target.name) != std::end(kConstants))
    return fault(absl::StrCat("'", target.name, "' cannot be assigned to"));
  if (allows_namespace && skipOperator(".")) {
    LATHE_ASSIGN_OR_RETURN(target.attribute, takeName("an attribute's name"));
  }
  return target;
}

} // namespace lathe::text
