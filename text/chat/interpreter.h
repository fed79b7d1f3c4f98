// Walks the tree of a template and writes what it prints.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "text/chat/ast.h"
#include "text/chat/budget.h"
#include "text/chat/function.h"
#include "text/chat/scope.h"

namespace lathe::text {

// For one rendering. Values that it made must not outlive it.
class Interpreter {
public:
  explicit Interpreter(const Limits &limits) : budget_(limits) {}

  Budget &budget() { return budget_; }
  absl::StatusOr<std::string> render(const ast::Body &body, const Mapping &context);
  // The line of the statement or expression that failed; 0 before render() failed.
  int failedLine() const { return failed_line_; }

private:
  using Result = absl::StatusOr<Value>;
  enum class Flow { Next, Break, Continue };
  using FlowResult = absl::StatusOr<Flow>;

  // Opens a scope for as long as it lives.
  class ScopeGuard;
  // Counts nesting, which is recursion.
  class DepthGuard;

  absl::Status write(absl::string_view text);
  // What `body` prints, in a scope of its own.
  absl::StatusOr<std::string> capture(const ast::Body &body);
  absl::Status failAt(int line, absl::Status status);

  FlowResult run(const ast::Body &body);
  FlowResult run(const ast::Statement &statement);
  FlowResult exec(const ast::Data &node);
  FlowResult exec(const ast::Print &node);
  FlowResult exec(const ast::Set &node);
  FlowResult exec(const ast::SetBlock &node);
  FlowResult exec(const ast::If &node);
  FlowResult exec(const ast::For &node);
  FlowResult exec(const std::unique_ptr<ast::Macro> &node);
  FlowResult exec(const ast::FilterBlock &node);
  FlowResult exec(const ast::With &node);
  FlowResult exec(const ast::Generation &node);
  FlowResult exec(const ast::Break &) { return Flow::Break; }
  FlowResult exec(const ast::Continue &) { return Flow::Continue; }
  FlowResult runInScope(const ast::Body &body);
  FlowResult runLoop(const ast::For &node, std::shared_ptr<const Sequence> items);
  absl::StatusOr<std::shared_ptr<const Sequence>> loopItems(const ast::For &node);
  absl::StatusOr<bool> isWanted(const ast::For &node, const Value &item);
  absl::Status assign(const ast::Target &target, const Value &value);
  absl::Status assignAttribute(const ast::Target &target, const Value &value);
  absl::Status unpack(const ast::Target &target, const Value &value);

  Result eval(const ast::Expr &expr);
  Result eval(const ast::ExprPtr &expr) { return eval(*expr); }
  // None where the expression is left out.
  Result evalOptional(const ast::ExprPtr &expr);
  Result evalNode(const ast::Literal &node);
  Result evalNode(const ast::Name &node);
  Result evalNode(const ast::ListDisplay &node);
  Result evalNode(const ast::DictDisplay &node);
  Result evalNode(const ast::Unary &node);
  Result evalNode(const ast::Binary &node);
  Result evalNode(const ast::Logical &node);
  Result evalNode(const ast::Concat &node);
  Result evalNode(const ast::Compare &node);
  Result evalNode(const ast::Conditional &node);
  Result evalNode(const ast::Attribute &node);
  Result evalNode(const ast::Subscript &node);
  Result evalNode(const ast::Slice &node);
  Result evalNode(const ast::Call &node);
  Result evalNode(const ast::Filter &node);
  Result evalNode(const ast::Test &node);

  absl::StatusOr<Arguments> evalArguments(const ast::Arguments &node);
  absl::Status spreadInto(const ast::Arguments &node, Arguments &arguments);
  Result callValue(const Value &callee, Arguments arguments);
  Result callMacro(const MacroRef &macro, Arguments arguments);
  absl::Status bindParameters(const ast::Macro &macro, Arguments &arguments);
  absl::Status bindRest(const ast::Macro &macro, Arguments &arguments);
  Result makeNamespace(Arguments arguments);
  Result applyFilter(const ast::Filter &node, const Value &subject);

  Budget budget_;
  std::shared_ptr<Scope> scope_;
  std::string *out_ = nullptr;
  Value block_text_; // what a filter without a subject filters
  int depth_ = 0;
  int failed_line_ = 0;
  std::vector<std::unique_ptr<Namespace>> namespaces_;
  std::vector<std::shared_ptr<Scope>> macro_scopes_; // kept, because a macro points to them
};

class Interpreter::ScopeGuard {
public:
  ScopeGuard(Interpreter &interpreter, std::shared_ptr<Scope> parent)
      : interpreter_(interpreter), outer_(interpreter.scope_) {
    interpreter.scope_ = std::make_shared<Scope>(std::move(parent));
  }
  explicit ScopeGuard(Interpreter &interpreter) : ScopeGuard(interpreter, interpreter.scope_) {}
  ~ScopeGuard() { interpreter_.scope_ = std::move(outer_); }

private:
  Interpreter &interpreter_;
  std::shared_ptr<Scope> outer_;
};

class Interpreter::DepthGuard {
public:
  explicit DepthGuard(Interpreter &interpreter) : interpreter_(interpreter) {
    ++interpreter_.depth_;
  }
  ~DepthGuard() { --interpreter_.depth_; }
  // Also pays for the step.
  absl::Status check() const {
    int limit = interpreter_.budget_.limits().depth;
    if (interpreter_.depth_ > limit)
      return absl::ResourceExhaustedError(
          absl::StrCat("macros and blocks nest deeper than ", limit, " levels"));
    return interpreter_.budget_.spend(1);
  }

private:
  Interpreter &interpreter_;
};

} // namespace lathe::text
