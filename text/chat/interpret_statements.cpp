#include "text/chat/interpreter.h"

#include "base/status.h"
#include "text/chat/operators.h"
#include "text/chat/repr.h"

namespace lathe::text {

absl::StatusOr<std::string> Interpreter::render(const ast::Body &body, const Mapping &context) {
  scope_ = std::make_shared<Scope>(nullptr);
  for (const auto &[name, value] : context.entries())
    scope_->set(*name.text(), value);
  std::string out;
  out_ = &out;
  LATHE_ASSIGN_OR_RETURN(Flow flow, run(body));
  (void)flow; // the parser lets break and continue stand inside of loops only
  return out;
}

absl::Status Interpreter::failAt(int line, absl::Status status) {
  if (failed_line_ == 0)
    failed_line_ = line;
  return status;
}

absl::Status Interpreter::write(absl::string_view text) {
  LATHE_RETURN_IF_ERROR(budget_.spend(text.size() / 64));
  if (out_->size() + text.size() > budget_.limits().output_bytes)
    return absl::ResourceExhaustedError(absl::StrCat(
        "the output is longer than the ", budget_.limits().output_bytes, " bytes it may have"));
  out_->append(text.data(), text.size());
  return absl::OkStatus();
}

absl::StatusOr<std::string> Interpreter::capture(const ast::Body &body) {
  std::string text;
  std::string *outer = std::exchange(out_, &text);
  FlowResult flow = runInScope(body);
  out_ = outer;
  if (!flow.ok())
    return flow.status();
  return text;
}

Interpreter::FlowResult Interpreter::run(const ast::Body &body) {
  DepthGuard depth(*this);
  LATHE_RETURN_IF_ERROR(depth.check());
  for (const ast::Statement &statement : body) {
    LATHE_ASSIGN_OR_RETURN(Flow flow, run(statement));
    if (flow != Flow::Next)
      return flow;
  }
  return Flow::Next;
}

Interpreter::FlowResult Interpreter::run(const ast::Statement &statement) {
  absl::Status spent = budget_.spend(1);
  FlowResult flow =
      spent.ok() ? std::visit([this](const auto &node) { return exec(node); }, statement.node)
                 : FlowResult(spent);
  if (!flow.ok())
    return failAt(statement.line, flow.status());
  return flow;
}

Interpreter::FlowResult Interpreter::runInScope(const ast::Body &body) {
  ScopeGuard scope(*this);
  return run(body);
}

Interpreter::FlowResult Interpreter::exec(const ast::Data &node) {
  LATHE_RETURN_IF_ERROR(write(node.text));
  return Flow::Next;
}

Interpreter::FlowResult Interpreter::exec(const ast::Print &node) {
  for (const ast::ExprPtr &expr : node.expressions) {
    LATHE_ASSIGN_OR_RETURN(Value value, eval(expr));
    if (value.text()) {
      LATHE_RETURN_IF_ERROR(write(*value.text()));
      continue;
    }
    LATHE_ASSIGN_OR_RETURN(std::string text, toText(budget_, value));
    LATHE_RETURN_IF_ERROR(write(text));
  }
  return Flow::Next;
}

Interpreter::FlowResult Interpreter::exec(const ast::Set &node) {
  LATHE_ASSIGN_OR_RETURN(Value value, eval(node.value));
  LATHE_RETURN_IF_ERROR(assign(node.target, value));
  return Flow::Next;
}

Interpreter::FlowResult Interpreter::exec(const ast::SetBlock &node) {
  LATHE_ASSIGN_OR_RETURN(std::string text, capture(node.body));
  Value value(std::move(text));
  if (node.filter) {
    Value outer = std::exchange(block_text_, value);
    Result filtered = eval(node.filter);
    block_text_ = std::move(outer);
    LATHE_ASSIGN_OR_RETURN(value, std::move(filtered));
  }
  LATHE_RETURN_IF_ERROR(assign(node.target, value));
  return Flow::Next;
}

Interpreter::FlowResult Interpreter::exec(const ast::If &node) {
  for (const auto &[condition, body] : node.branches) {
    LATHE_ASSIGN_OR_RETURN(Value value, eval(condition));
    if (isTrue(value))
      return run(body);
  }
  return run(node.otherwise);
}

Interpreter::FlowResult Interpreter::exec(const ast::For &node) {
  LATHE_ASSIGN_OR_RETURN(auto items, loopItems(node));
  if (items->items.empty())
    return runInScope(node.otherwise);
  return runLoop(node, std::move(items));
}

// The filter of a for is asked for all items before the first is run, where Jinja2 asks while it
// runs: the two differ only if the body changes a namespace that the filter reads.
absl::StatusOr<std::shared_ptr<const Sequence>> Interpreter::loopItems(const ast::For &node) {
  LATHE_ASSIGN_OR_RETURN(Value iterable, eval(node.iterable));
  LATHE_ASSIGN_OR_RETURN(auto items, iterate(budget_, iterable));
  if (!node.condition)
    return items;
  std::vector<Value> wanted;
  for (const Value &item : items->items) {
    LATHE_ASSIGN_OR_RETURN(bool keeps, isWanted(node, item));
    if (keeps)
      wanted.push_back(item);
  }
  LATHE_ASSIGN_OR_RETURN(Value list, makeList(std::move(wanted)));
  return *list.as<std::shared_ptr<const Sequence>>();
}

absl::StatusOr<bool> Interpreter::isWanted(const ast::For &node, const Value &item) {
  ScopeGuard scope(*this);
  LATHE_RETURN_IF_ERROR(assign(node.target, item));
  LATHE_ASSIGN_OR_RETURN(Value condition, eval(node.condition));
  return isTrue(condition);
}

Interpreter::FlowResult Interpreter::runLoop(const ast::For &node,
                                             std::shared_ptr<const Sequence> items) {
  for (size_t index = 0; index < items->items.size(); ++index) {
    LATHE_RETURN_IF_ERROR(budget_.spend(1));
    ScopeGuard scope(*this);
    scope_->set("loop", Value(std::make_shared<const Loop>(Loop{items, index})));
    LATHE_RETURN_IF_ERROR(assign(node.target, items->items[index]));
    LATHE_ASSIGN_OR_RETURN(Flow flow, run(node.body));
    if (flow == Flow::Break)
      break;
  }
  return Flow::Next;
}

Interpreter::FlowResult Interpreter::exec(const std::unique_ptr<ast::Macro> &node) {
  scope_->set(node->name, Value(MacroRef{node.get(), scope_.get()}));
  if (macro_scopes_.empty() || macro_scopes_.back() != scope_)
    macro_scopes_.push_back(scope_);
  return Flow::Next;
}

Interpreter::FlowResult Interpreter::exec(const ast::FilterBlock &node) {
  LATHE_ASSIGN_OR_RETURN(std::string text, capture(node.body));
  Value outer = std::exchange(block_text_, Value(std::move(text)));
  Result filtered = eval(node.filter);
  block_text_ = std::move(outer);
  LATHE_ASSIGN_OR_RETURN(Value value, std::move(filtered));
  LATHE_ASSIGN_OR_RETURN(std::string printed, toText(budget_, value));
  LATHE_RETURN_IF_ERROR(write(printed));
  return Flow::Next;
}

// The values do not see the names that are bound beside them.
Interpreter::FlowResult Interpreter::exec(const ast::With &node) {
  std::vector<Value> values;
  for (const auto &binding : node.bindings) {
    LATHE_ASSIGN_OR_RETURN(Value value, eval(binding.second));
    values.push_back(std::move(value));
  }
  ScopeGuard scope(*this);
  for (size_t i = 0; i < values.size(); ++i)
    LATHE_RETURN_IF_ERROR(assign(node.bindings[i].first, values[i]));
  return run(node.body);
}

Interpreter::FlowResult Interpreter::exec(const ast::Generation &node) {
  return runInScope(node.body);
}

absl::Status Interpreter::assign(const ast::Target &target, const Value &value) {
  if (target.is_tuple)
    return unpack(target, value);
  if (!target.attribute.empty())
    return assignAttribute(target, value);
  scope_->set(target.name, value);
  return absl::OkStatus();
}

absl::Status Interpreter::assignAttribute(const ast::Target &target, const Value &value) {
  const Value *found = scope_->find(target.name);
  if (!found || !found->as<Namespace *>())
    return absl::InvalidArgumentError(
        absl::StrCat("'", target.name, ".", target.attribute, "' is set, but '", target.name,
                     "' is ", found ? absl::StrCat("a ", typeName(*found)) : "undefined",
                     "; only a namespace's attributes can be set"));
  return (*found->as<Namespace *>())->attributes.insert(Value(target.attribute), value);
}

absl::Status Interpreter::unpack(const ast::Target &target, const Value &value) {
  LATHE_ASSIGN_OR_RETURN(auto items, iterate(budget_, value));
  if (items->items.size() != target.parts.size())
    return absl::InvalidArgumentError(
        absl::StrCat(target.parts.size(), " names are set from ", items->items.size(), " values"));
  for (size_t i = 0; i < target.parts.size(); ++i)
    LATHE_RETURN_IF_ERROR(assign(target.parts[i], items->items[i]));
  return absl::OkStatus();
}

} // namespace lathe::text
