#include "text/chat/parser_impl.h"

#include <algorithm>

#include "absl/strings/numbers.h"

#include "text/chat/filters.h"
#include "text/chat/tests.h"

namespace lathe::text {
namespace {

using ast::ExprPtr;

// Chains such as `a + b + c` nest to the left without recursion in the parser: the tree's own depth
// is bounded as well, because it is walked and freed by recursion.
constexpr int kMaxTreeDepth = 250;

int deepest(const ExprPtr &expr) { return expr ? expr->depth : 0; }
int deepest(const std::vector<ExprPtr> &exprs) {
  int depth = 0;
  for (const ExprPtr &expr : exprs)
    depth = std::max(depth, deepest(expr));
  return depth;
}
template <typename A> int deepest(const std::vector<std::pair<A, ExprPtr>> &pairs) {
  int depth = 0;
  for (const auto &pair : pairs)
    depth = std::max(depth, deepest(pair.second));
  return depth;
}
int deepest(const ast::Arguments &a) {
  return std::max({deepest(a.positional), deepest(a.named), deepest(a.spread),
                   deepest(a.spread_named)});
}

struct ChildDepth {
  int operator()(const ast::Literal &) const { return 0; }
  int operator()(const ast::Name &) const { return 0; }
  int operator()(const ast::ListDisplay &n) const { return deepest(n.items); }
  int operator()(const ast::DictDisplay &n) const {
    int depth = deepest(n.entries);
    for (const auto &entry : n.entries)
      depth = std::max(depth, deepest(entry.first));
    return depth;
  }
  int operator()(const ast::Unary &n) const { return deepest(n.operand); }
  int operator()(const ast::Binary &n) const { return std::max(deepest(n.left), deepest(n.right)); }
  int operator()(const ast::Logical &n) const { return std::max(deepest(n.left), deepest(n.right)); }
  int operator()(const ast::Concat &n) const { return deepest(n.parts); }
  int operator()(const ast::Compare &n) const { return std::max(deepest(n.first), deepest(n.rest)); }
  int operator()(const ast::Conditional &n) const {
    return std::max({deepest(n.condition), deepest(n.then), deepest(n.otherwise)});
  }
  int operator()(const ast::Attribute &n) const { return deepest(n.object); }
  int operator()(const ast::Subscript &n) const {
    return std::max(deepest(n.object), deepest(n.index));
  }
  int operator()(const ast::Slice &n) const {
    return std::max({deepest(n.object), deepest(n.begin), deepest(n.end), deepest(n.step)});
  }
  int operator()(const ast::Call &n) const {
    return std::max(deepest(n.callee), deepest(n.arguments));
  }
  int operator()(const ast::Filter &n) const {
    return std::max(deepest(n.subject), deepest(n.arguments));
  }
  int operator()(const ast::Test &n) const {
    return std::max(deepest(n.subject), deepest(n.arguments));
  }
};

} // namespace

template <typename Node> Parser::Expression Parser::make(int line, Node node) {
  auto expr = std::make_unique<ast::Expr>();
  expr->line = line;
  expr->depth = ChildDepth()(node) + 1;
  expr->node = std::move(node);
  if (expr->depth > kMaxTreeDepth)
    return faultAt(line, absl::StrCat("an expression nests deeper than ", kMaxTreeDepth, " levels"));
  return expr;
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
    LATHE_ASSIGN_OR_RETURN(left, make(line, ast::Logical{false, std::move(left), std::move(right)}));
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
      {"==", ast::CompareOp::Equal},     {"!=", ast::CompareOp::NotEqual},
      {"<", ast::CompareOp::Less},       {"<=", ast::CompareOp::LessEqual},
      {">", ast::CompareOp::Greater},    {">=", ast::CompareOp::GreaterEqual}};
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

Parser::Expression Parser::parsePrimary() {
  switch (current().kind) {
  case TokenKind::Name:
    return parseNameOrConstant();
  case TokenKind::String:
    return parseStrings();
  case TokenKind::Integer:
  case TokenKind::Float:
    return parseNumber();
  default:
    break;
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
  return faultAt(token.line, absl::StrCat("the number ", token.text.substr(0, 40),
                                          " does not fit in 64 bits"));
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
  bool after_spread = arguments.spread_named || (arguments.spread && !is_named && !isOperator("**"));
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
                        kind == TokenKind::Integer || kind == TokenKind::Float ||
                        isOperator("[") || isOperator("{");
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
