#include "text/chat/interpreter.h"

#include "base/status.h"
#include "text/chat/access.h"
#include "text/chat/filters.h"
#include "text/chat/functions.h"
#include "text/chat/methods.h"
#include "text/chat/operators.h"
#include "text/chat/repr.h"
#include "text/chat/tests.h"

namespace lathe::text {

using Result = absl::StatusOr<Value>;

Result Interpreter::eval(const ast::Expr &expr) {
  DepthGuard depth(*this);
  absl::Status allowed = depth.check();
  Result result = allowed.ok()
                      ? std::visit([this](const auto &node) { return evalNode(node); }, expr.node)
                      : Result(allowed);
  if (!result.ok())
    return failAt(expr.line, result.status());
  return result;
}

Result Interpreter::evalOptional(const ast::ExprPtr &expr) {
  return expr ? eval(expr) : Value(None{});
}

Result Interpreter::evalNode(const ast::Literal &node) { return node.value; }

Result Interpreter::evalNode(const ast::Name &node) {
  if (const Value *found = scope_->find(node.name))
    return *found;
  if (const Function *function = findGlobalFunction(node.name))
    return Value(function);
  if (isRefusedGlobal(node.name))
    return absl::InvalidArgumentError(
        absl::StrCat("the function '", node.name, "' is not offered in chat templates"));
  return Value::undefined(absl::StrCat("'", node.name, "' is undefined"));
}

Result Interpreter::evalNode(const ast::ListDisplay &node) {
  LATHE_RETURN_IF_ERROR(budget_.spendItems(node.items.size()));
  std::vector<Value> items;
  for (const ast::ExprPtr &expr : node.items) {
    LATHE_ASSIGN_OR_RETURN(Value item, eval(expr));
    items.push_back(std::move(item));
  }
  return makeSequence(node.kind, std::move(items));
}

Result Interpreter::evalNode(const ast::DictDisplay &node) {
  Mapping mapping;
  for (const auto &[key_expr, value_expr] : node.entries) {
    LATHE_ASSIGN_OR_RETURN(Value key, eval(key_expr));
    LATHE_ASSIGN_OR_RETURN(Value value, eval(value_expr));
    LATHE_RETURN_IF_ERROR(mapping.insert(std::move(key), std::move(value)));
  }
  return makeMapping(std::move(mapping));
}

Result Interpreter::evalNode(const ast::Unary &node) {
  LATHE_ASSIGN_OR_RETURN(Value operand, eval(node.operand));
  if (node.op == ast::UnaryOp::Not)
    return Value(!isTrue(operand));
  if (node.op == ast::UnaryOp::Negate)
    return negate(operand);
  LATHE_ASSIGN_OR_RETURN(Value negated, negate(operand)); // refuses what has no sign
  return operand.as<bool>() ? Value(operand.integral()) : operand;
}

Result Interpreter::evalNode(const ast::Binary &node) {
  LATHE_ASSIGN_OR_RETURN(Value left, eval(node.left));
  LATHE_ASSIGN_OR_RETURN(Value right, eval(node.right));
  return applyBinary(budget_, node.op, left, right);
}

Result Interpreter::evalNode(const ast::Logical &node) {
  LATHE_ASSIGN_OR_RETURN(Value left, eval(node.left));
  return isTrue(left) == node.is_and ? eval(node.right) : Result(std::move(left));
}

Result Interpreter::evalNode(const ast::Concat &node) {
  std::string out;
  for (const ast::ExprPtr &part : node.parts) {
    LATHE_ASSIGN_OR_RETURN(Value value, eval(part));
    LATHE_ASSIGN_OR_RETURN(std::string text, toText(budget_, value));
    out += text;
    if (out.size() > budget_.limits().output_bytes)
      LATHE_RETURN_IF_ERROR(budget_.spendText(out.size()));
  }
  return Value(std::move(out));
}

Result Interpreter::evalNode(const ast::Compare &node) {
  LATHE_ASSIGN_OR_RETURN(Value left, eval(node.first));
  for (const auto &[op, expr] : node.rest) {
    LATHE_ASSIGN_OR_RETURN(Value right, eval(expr));
    LATHE_ASSIGN_OR_RETURN(bool holds, compare(budget_, op, left, right));
    if (!holds)
      return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

Result Interpreter::evalNode(const ast::Conditional &node) {
  LATHE_ASSIGN_OR_RETURN(Value condition, eval(node.condition));
  if (isTrue(condition))
    return eval(node.then);
  if (node.otherwise)
    return eval(node.otherwise);
  return Value::undefined("an inline 'if' without 'else' was false");
}

Result Interpreter::evalNode(const ast::Attribute &node) {
  LATHE_ASSIGN_OR_RETURN(Value object, eval(node.object));
  return getAttribute(object, node.name);
}

Result Interpreter::evalNode(const ast::Subscript &node) {
  LATHE_ASSIGN_OR_RETURN(Value object, eval(node.object));
  LATHE_ASSIGN_OR_RETURN(Value index, eval(node.index));
  return getItem(budget_, object, index);
}

Result Interpreter::evalNode(const ast::Slice &node) {
  LATHE_ASSIGN_OR_RETURN(Value object, eval(node.object));
  LATHE_ASSIGN_OR_RETURN(Value begin, evalOptional(node.begin));
  LATHE_ASSIGN_OR_RETURN(Value end, evalOptional(node.end));
  LATHE_ASSIGN_OR_RETURN(Value step, evalOptional(node.step));
  return getSlice(budget_, object, begin, end, step);
}

Result Interpreter::evalNode(const ast::Call &node) {
  LATHE_ASSIGN_OR_RETURN(Value callee, eval(node.callee));
  LATHE_ASSIGN_OR_RETURN(Arguments arguments, evalArguments(node.arguments));
  return callValue(callee, std::move(arguments));
}

Result Interpreter::evalNode(const ast::Filter &node) {
  if (!node.subject)
    return applyFilter(node, block_text_);
  LATHE_ASSIGN_OR_RETURN(Value subject, eval(node.subject));
  return applyFilter(node, subject);
}

Result Interpreter::applyFilter(const ast::Filter &node, const Value &subject) {
  LATHE_ASSIGN_OR_RETURN(const Function *filter, findFilter(node.name));
  Value kept = subject; // the arguments may hold a block of their own
  LATHE_ASSIGN_OR_RETURN(Arguments arguments, evalArguments(node.arguments));
  return invoke(*filter, budget_, kept, std::move(arguments));
}

Result Interpreter::evalNode(const ast::Test &node) {
  LATHE_ASSIGN_OR_RETURN(const Function *test, findTest(node.name));
  LATHE_ASSIGN_OR_RETURN(Value subject, eval(node.subject));
  LATHE_ASSIGN_OR_RETURN(Arguments arguments, evalArguments(node.arguments));
  return invoke(*test, budget_, subject, std::move(arguments));
}

absl::StatusOr<Arguments> Interpreter::evalArguments(const ast::Arguments &node) {
  Arguments arguments;
  for (const ast::ExprPtr &expr : node.positional) {
    LATHE_ASSIGN_OR_RETURN(Value value, eval(expr));
    arguments.positional.push_back(std::move(value));
  }
  for (const auto &[name, expr] : node.named) {
    LATHE_ASSIGN_OR_RETURN(Value value, eval(expr));
    arguments.named.emplace_back(name, std::move(value));
  }
  LATHE_RETURN_IF_ERROR(spreadInto(node, arguments));
  return arguments;
}

// *a and **b.
absl::Status Interpreter::spreadInto(const ast::Arguments &node, Arguments &arguments) {
  if (node.spread) {
    LATHE_ASSIGN_OR_RETURN(Value list, eval(node.spread));
    LATHE_ASSIGN_OR_RETURN(auto items, iterate(budget_, list));
    LATHE_RETURN_IF_ERROR(budget_.spendItems(items->items.size()));
    for (const Value &item : items->items)
      arguments.positional.push_back(item);
  }
  if (!node.spread_named)
    return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(Value named, eval(node.spread_named));
  if (!named.mapping())
    return absl::InvalidArgumentError(absl::StrCat("'**' needs a dict, not a ", typeName(named)));
  LATHE_RETURN_IF_ERROR(budget_.spendItems(named.mapping()->size()));
  for (const auto &[name, value] : named.mapping()->entries()) {
    if (!name.text())
      return absl::InvalidArgumentError("'**' needs a dict whose keys are strings");
    arguments.named.emplace_back(*name.text(), value);
  }
  return absl::OkStatus();
}

Result Interpreter::callValue(const Value &callee, Arguments arguments) {
  if (callee.isUndefined())
    return undefinedError(callee);
  if (const auto *method = callee.as<std::shared_ptr<const Method>>())
    return callMethod(budget_, **method, std::move(arguments));
  if (const auto *macro = callee.as<MacroRef>())
    return callMacro(*macro, std::move(arguments));
  if (callee.loop())
    return absl::InvalidArgumentError(
        "a recursive for is not offered; use a macro that calls itself");
  const auto *function = callee.as<const Function *>();
  if (!function)
    return absl::InvalidArgumentError(
        absl::StrCat("a ", typeName(callee), " is called as if it were a function"));
  if (makesNamespace(**function))
    return makeNamespace(std::move(arguments));
  return invoke(**function, budget_, Value(), std::move(arguments));
}

Result Interpreter::makeNamespace(Arguments arguments) {
  Call call{budget_, "namespace", Value(), std::move(arguments)};
  LATHE_ASSIGN_OR_RETURN(Mapping attributes, mappingOf(call));
  namespaces_.push_back(std::make_unique<Namespace>(Namespace{std::move(attributes)}));
  return Value(namespaces_.back().get());
}

Result Interpreter::callMacro(const MacroRef &macro, Arguments arguments) {
  auto parent = std::shared_ptr<Scope>(std::shared_ptr<Scope>(), macro.scope); // kept elsewhere
  ScopeGuard scope(*this, parent);
  LATHE_RETURN_IF_ERROR(bindParameters(*macro.definition, arguments));
  LATHE_ASSIGN_OR_RETURN(std::string text, capture(macro.definition->body));
  return Value(std::move(text));
}

absl::Status Interpreter::bindParameters(const ast::Macro &macro, Arguments &arguments) {
  for (size_t i = 0; i < macro.parameters.size(); ++i) {
    const ast::Parameter &parameter = macro.parameters[i];
    auto named = std::find_if(arguments.named.begin(), arguments.named.end(),
                              [&](const auto &entry) { return entry.first == parameter.name; });
    bool is_positional = i < arguments.positional.size();
    if (is_positional && named != arguments.named.end())
      return absl::InvalidArgumentError(
          absl::StrCat("macro '", macro.name, "' is given '", parameter.name, "' twice"));
    Value value =
        Value::undefined(absl::StrCat("parameter '", parameter.name, "' was not provided"));
    if (is_positional) {
      value = arguments.positional[i];
    } else if (named != arguments.named.end()) {
      value = std::move(named->second);
      arguments.named.erase(named);
    } else if (parameter.fallback) {
      LATHE_ASSIGN_OR_RETURN(value, eval(parameter.fallback));
    }
    scope_->set(parameter.name, std::move(value));
  }
  return bindRest(macro, arguments);
}

absl::Status Interpreter::bindRest(const ast::Macro &macro, Arguments &arguments) {
  size_t count = macro.parameters.size();
  bool has_rest = arguments.positional.size() > count;
  if (has_rest && !macro.takes_varargs)
    return absl::InvalidArgumentError(absl::StrCat("macro '", macro.name, "' takes ", count,
                                                   " arguments but is given ",
                                                   arguments.positional.size()));
  if (!arguments.named.empty() && !macro.takes_kwargs)
    return absl::InvalidArgumentError(absl::StrCat(
        "macro '", macro.name, "' takes no argument named '", arguments.named.front().first, "'"));
  if (macro.takes_varargs) {
    std::vector<Value> rest;
    if (has_rest)
      rest.assign(arguments.positional.begin() + count, arguments.positional.end());
    LATHE_ASSIGN_OR_RETURN(Value tuple, makeSequence(SequenceKind::Tuple, std::move(rest)));
    scope_->set("varargs", std::move(tuple));
  }
  if (!macro.takes_kwargs)
    return absl::OkStatus();
  Mapping rest;
  for (auto &[name, value] : arguments.named)
    LATHE_RETURN_IF_ERROR(rest.insert(Value(name), value));
  scope_->set("kwargs", makeMapping(std::move(rest)));
  return absl::OkStatus();
}

} // namespace lathe::text
