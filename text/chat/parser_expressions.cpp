// Operators, from the loosest to the tightest.
#include <algorithm>

#include "text/chat/parser_impl.h"

namespace lathe::text {

using ast::ExprPtr;

bool Parser::isTupleEnd(absl::string_view end_name) const {
  return current().kind == TokenKind::VariableEnd || current().kind == TokenKind::BlockEnd ||
         isOperator(")") || (!end_name.empty() && isName(end_name));
}

Parser::Expression Parser::parseTuple(bool with_conditional, bool in_parentheses,
                                      absl::string_view end_name) {
  int line = current().line;
  ast::ListDisplay tuple{{}, SequenceKind::Tuple};
  bool is_tuple = false;
  while (!isTupleEnd(end_name)) {
    LATHE_ASSIGN_OR_RETURN(ExprPtr item, parseExpression(with_conditional));
    tuple.items.push_back(std::move(item));
    if (!skipOperator(","))
      break;
    is_tuple = true;
  }
  if (!is_tuple && !tuple.items.empty())
    return std::move(tuple.items[0]);
  if (!is_tuple && !in_parentheses)
    return unexpected("an expression");
  return make(line, std::move(tuple));
}

Parser::Expression Parser::parseExpression(bool with_conditional) {
  return with_conditional ? parseConditional() : parseOr();
}

Parser::Expression Parser::parseConditional() {
  Depth depth(*this);
  LATHE_RETURN_IF_ERROR(depth.check());
  int line = current().line;
  absl::Status unknown_before = unknown_;
  LATHE_ASSIGN_OR_RETURN(ExprPtr expr, parseOr());
  while (skipName("if")) {
    ast::Conditional node;
    node.then = std::move(expr);
    LATHE_ASSIGN_OR_RETURN(node.condition, parseOr());
    if (skipName("else")) {
      LATHE_ASSIGN_OR_RETURN(node.otherwise, parseConditional());
    }
    LATHE_ASSIGN_OR_RETURN(expr, make(line, std::move(node)));
    unknown_ = unknown_before; // what stands in here may never run
  }
  return expr;
}

Parser::Expression Parser::parseOr() {
  Depth depth(*this);
  LATHE_RETURN_IF_ERROR(depth.check());
  int line = current().line;
  LATHE_ASSIGN_OR_RETURN(ExprPtr left, parseAnd());
  while (skipName("or")) {
    LATHE_ASSIGN_OR_RETURN(ExprPtr right, parseAnd());
    LATHE_ASSIGN_OR_RETURN(left,
                           make(line, ast::Logical{false, std::move(left), std::move(right)}));
  }
  return left;
}

Parser::Expression Parser::parseAnd() {
  int line = current().line;
  LATHE_ASSIGN_OR_RETURN(ExprPtr left, parseNot());
  while (skipName("and")) {
    LATHE_ASSIGN_OR_RETURN(ExprPtr right, parseNot());
    LATHE_ASSIGN_OR_RETURN(left, make(line, ast::Logical{true, std::move(left), std::move(right)}));
  }
  return left;
}

Parser::Expression Parser::parseNot() {
  Depth depth(*this);
  LATHE_RETURN_IF_ERROR(depth.check());
  int line = current().line;
  if (!skipName("not"))
    return parseCompare();
  LATHE_ASSIGN_OR_RETURN(ExprPtr operand, parseNot());
  return make(line, ast::Unary{ast::UnaryOp::Not, std::move(operand)});
}

// True, and past it, where a comparison stands.
absl::StatusOr<bool> Parser::takeCompareOperator(ast::CompareOp *op) {
  static constexpr std::pair<absl::string_view, ast::CompareOp> kOperators[] = {
      {"==", ast::CompareOp::Equal},  {"!=", ast::CompareOp::NotEqual},
      {"<", ast::CompareOp::Less},    {"<=", ast::CompareOp::LessEqual},
      {">", ast::CompareOp::Greater}, {">=", ast::CompareOp::GreaterEqual}};
  for (const auto &[text, known] : kOperators) {
    if (skipOperator(text)) {
      *op = known;
      return true;
    }
  }
  bool is_negated = isName("not") && ahead().kind == TokenKind::Name && ahead().text == "in";
  if (is_negated)
    take();
  *op = is_negated ? ast::CompareOp::NotIn : ast::CompareOp::In;
  return skipName("in");
}

Parser::Expression Parser::parseCompare() {
  int line = current().line;
  ast::Compare node;
  LATHE_ASSIGN_OR_RETURN(node.first, parseSum());
  for (;;) {
    ast::CompareOp op;
    LATHE_ASSIGN_OR_RETURN(bool found, takeCompareOperator(&op));
    if (!found)
      break;
    LATHE_ASSIGN_OR_RETURN(ExprPtr operand, parseSum());
    node.rest.emplace_back(op, std::move(operand));
  }
  if (node.rest.empty())
    return std::move(node.first);
  return make(line, std::move(node));
}

Parser::Expression Parser::parseSum() {
  int line = current().line;
  LATHE_ASSIGN_OR_RETURN(ExprPtr left, parseConcat());
  while (isOperator("+") || isOperator("-")) {
    auto op = take().text == "+" ? ast::BinaryOp::Add : ast::BinaryOp::Subtract;
    LATHE_ASSIGN_OR_RETURN(ExprPtr right, parseConcat());
    LATHE_ASSIGN_OR_RETURN(left, make(line, ast::Binary{op, std::move(left), std::move(right)}));
  }
  return left;
}

Parser::Expression Parser::parseConcat() {
  int line = current().line;
  ast::Concat node;
  do {
    LATHE_ASSIGN_OR_RETURN(ExprPtr part, parseProduct());
    node.parts.push_back(std::move(part));
  } while (skipOperator("~"));
  if (node.parts.size() == 1)
    return std::move(node.parts[0]);
  return make(line, std::move(node));
}

Parser::Expression Parser::parseProduct() {
  static constexpr std::pair<absl::string_view, ast::BinaryOp> kOperators[] = {
      {"*", ast::BinaryOp::Multiply},
      {"/", ast::BinaryOp::Divide},
      {"//", ast::BinaryOp::FloorDivide},
      {"%", ast::BinaryOp::Modulo}};
  int line = current().line;
  LATHE_ASSIGN_OR_RETURN(ExprPtr left, parsePower());
  for (;;) {
    auto known = std::find_if(std::begin(kOperators), std::end(kOperators),
                              [&](const auto &entry) { return isOperator(entry.first); });
    if (known == std::end(kOperators))
      return left;
    take();
    LATHE_ASSIGN_OR_RETURN(ExprPtr right, parsePower());
    LATHE_ASSIGN_OR_RETURN(
        left, make(line, ast::Binary{known->second, std::move(left), std::move(right)}));
  }
}

Parser::Expression Parser::parsePower() {
  int line = current().line;
  LATHE_ASSIGN_OR_RETURN(ExprPtr left, parseUnary());
  while (skipOperator("**")) {
    LATHE_ASSIGN_OR_RETURN(ExprPtr right, parseUnary());
    LATHE_ASSIGN_OR_RETURN(
        left, make(line, ast::Binary{ast::BinaryOp::Power, std::move(left), std::move(right)}));
  }
  return left;
}

Parser::Expression Parser::parseUnary(bool with_filter) {
  Depth depth(*this);
  LATHE_RETURN_IF_ERROR(depth.check());
  int line = current().line;
  ExprPtr expr;
  if (isOperator("-") || isOperator("+")) {
    auto op = take().text == "-" ? ast::UnaryOp::Negate : ast::UnaryOp::Plus;
    LATHE_ASSIGN_OR_RETURN(ExprPtr operand, parseUnary(false));
    LATHE_ASSIGN_OR_RETURN(expr, make(line, ast::Unary{op, std::move(operand)}));
  } else {
    LATHE_ASSIGN_OR_RETURN(expr, parsePrimary());
  }
  LATHE_ASSIGN_OR_RETURN(expr, parsePostfix(std::move(expr)));
  return with_filter ? parseFiltersAndTests(std::move(expr)) : std::move(expr);
}

} // namespace lathe::text
