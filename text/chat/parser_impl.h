// The parser's inside, shared by parser_statements.cpp and parser_expressions.cpp.
#pragma once

#include <initializer_list>

#include "absl/types/span.h"
#include "base/status.h"
#include "text/chat/parser.h"

namespace lathe::text {

class Parser {
public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  absl::StatusOr<ast::Body> parseAll();

private:
  using Expression = absl::StatusOr<ast::ExprPtr>;

  // Where an end of a body is a tag with one of these names.
  using EndNames = absl::Span<const absl::string_view>;

  // Counts recursion, so that a hostile template cannot exhaust the stack.
  class Depth;
  static constexpr int kMaxDepth = 150;

  const Token &current() const { return tokens_[at_]; }
  const Token &ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take();
  bool isOperator(absl::string_view text) const;
  bool isName(absl::string_view text) const;
  bool skipOperator(absl::string_view text);
  bool skipName(absl::string_view text);
  absl::Status expectOperator(absl::string_view text);
  absl::Status expectName(absl::string_view text);
  absl::StatusOr<std::string> takeName(absl::string_view what);
  absl::Status expectBlockEnd();
  absl::Status fault(absl::string_view what) const { return faultAt(current().line, what); }
  static absl::Status faultAt(int line, absl::string_view what);
  absl::Status unexpected(absl::string_view wanted) const;

  // Statements.
  absl::StatusOr<ast::Body> parseBody(EndNames ends);
  absl::StatusOr<ast::Body> parseTagBody(EndNames ends);
  // The same, and takes the end's name.
  absl::StatusOr<ast::Body> parseClosedBody(absl::string_view end);
  absl::Status parsePrint(ast::Body &body);
  absl::Status parseStatement(ast::Body &body);
  absl::StatusOr<ast::Statement> parseKnownStatement(absl::string_view name, int line);
  absl::StatusOr<ast::Statement> parseSet(int line);
  absl::StatusOr<ast::Statement> parseIf(int line);
  absl::StatusOr<ast::Statement> parseFor(int line);
  absl::StatusOr<ast::Statement> parseMacro(int line);
  absl::StatusOr<std::vector<ast::Parameter>> parseParameters();
  absl::StatusOr<ast::Statement> parseFilterBlock(int line);
  absl::StatusOr<ast::Statement> parseWith(int line);
  absl::StatusOr<ast::Statement> parseGeneration(int line);
  absl::StatusOr<ast::Statement> parseLoopControl(absl::string_view name, int line);
  absl::StatusOr<ast::Statement> parsePrintStatement(int line);

  absl::StatusOr<ast::Target> parseTarget(bool allows_namespace);
  absl::StatusOr<ast::Target> parseSingleTarget(bool allows_namespace);

  // Expressions, from the loosest to the tightest.
  Expression parseTuple(bool with_conditional, bool in_parentheses,
                        absl::string_view end_name = "");
  Expression parseExpression(bool with_conditional = true);
  Expression parseConditional();
  Expression parseOr();
  Expression parseAnd();
  Expression parseNot();
  Expression parseCompare();
  Expression parseSum();
  Expression parseConcat();
  Expression parseProduct();
  Expression parsePower();
  Expression parseUnary(bool with_filter = true);
  Expression parsePrimary();
  Expression parseNameOrConstant();
  Expression parseNumber();
  Expression parseStrings();
  Expression parseList();
  Expression parseDict();
  Expression parsePostfix(ast::ExprPtr expr);
  Expression parseFiltersAndTests(ast::ExprPtr expr);
  Expression parseAttribute(ast::ExprPtr object);
  Expression parseSubscript(ast::ExprPtr object);
  Expression parseCall(ast::ExprPtr callee);
  Expression parseFilterChain(ast::ExprPtr subject);
  Expression parseFilter(ast::ExprPtr subject);
  Expression parseTest(ast::ExprPtr subject);
  absl::StatusOr<std::string> parseDottedName(absl::string_view what);
  absl::StatusOr<ast::Arguments> parseArguments();
  absl::Status parseArgument(ast::Arguments &arguments);
  absl::StatusOr<ast::Arguments> parseTestArguments();
  absl::StatusOr<bool> takeCompareOperator(ast::CompareOp *op);
  bool isTupleEnd(absl::string_view end_name) const;

  // Chains such as `a + b + c` nest to the left without recursion in the parser: the tree's own
  // depth is bounded as well, because it is walked and freed by recursion.
  static constexpr int kMaxTreeDepth = 250;
  static Expression make(int line, ast::Node node);
  // Remembers the error of a name that nothing is called by, unless it may never be needed.
  void noteUnknown(absl::Status known);
  // Marks the names that make a macro take any number of arguments.
  void noteName(absl::string_view name);

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  int loops_ = 0;        // fors around this place, in this macro
  int conditionals_ = 0; // ifs around this place
  absl::Status unknown_; // the first name that is surely needed and does not exist
  std::vector<ast::Macro *> macros_;
};

class Parser::Depth {
public:
  explicit Depth(Parser &parser) : parser_(parser) { ++parser_.depth_; }
  ~Depth() { --parser_.depth_; }
  absl::Status check() const {
    if (parser_.depth_ <= kMaxDepth)
      return absl::OkStatus();
    return parser_.fault(absl::StrCat("nested deeper than ", kMaxDepth, " levels"));
  }

private:
  Parser &parser_;
};

} // namespace lathe::text
