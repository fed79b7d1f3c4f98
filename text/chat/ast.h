// What the parser makes of a template. Owned from the root down by unique_ptr, never changed after.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "text/chat/value.h"

namespace lathe::text::ast {

struct Expr;
struct Statement;
using ExprPtr = std::unique_ptr<Expr>;
using Body = std::vector<Statement>;

struct Literal {
  Value value;
};
struct Name {
  std::string name;
};
struct ListDisplay { // [a, b] or, as a tuple, (a, b)
  std::vector<ExprPtr> items;
  SequenceKind kind;
};
struct DictDisplay {
  std::vector<std::pair<ExprPtr, ExprPtr>> entries;
};
enum class UnaryOp { Not, Negate, Plus };
struct Unary {
  UnaryOp op;
  ExprPtr operand;
};
enum class BinaryOp { Add, Subtract, Multiply, Divide, FloorDivide, Modulo, Power };
struct Binary {
  BinaryOp op;
  ExprPtr left, right;
};
struct Logical { // `and`, `or`: gives one of its operands
  bool is_and;
  ExprPtr left, right;
};
struct Concat { // a ~ b ~ c
  std::vector<ExprPtr> parts;
};
enum class CompareOp { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, In, NotIn };
struct Compare { // a < b <= c
  ExprPtr first;
  std::vector<std::pair<CompareOp, ExprPtr>> rest;
};
struct Conditional {                  // a if b else c
  ExprPtr condition, then, otherwise; // `otherwise` may be null
};
struct Attribute { // a.b
  ExprPtr object;
  std::string name;
};
struct Subscript { // a[b]
  ExprPtr object, index;
};
struct Slice {                      // a[b:c:d]
  ExprPtr object, begin, end, step; // all but `object` may be null
};

struct Arguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr spread, spread_named; // *a, **b; may be null
};
struct Call {
  ExprPtr callee;
  Arguments arguments;
};
struct Filter {    // a | name(...)
  ExprPtr subject; // null: what the block around it rendered
  std::string name;
  Arguments arguments;
};
struct Test { // a is name(...)
  ExprPtr subject;
  std::string name;
  Arguments arguments;
};

using Node = std::variant<Literal, Name, ListDisplay, DictDisplay, Unary, Binary, Logical, Concat,
                          Compare, Conditional, Attribute, Subscript, Slice, Call, Filter, Test>;

struct Expr {
  int line;
  int depth; // 1 + the deepest of the children
  Node node;
};

// The depth of the deepest child; 0 for a leaf.
int depthBelow(const Node &node);

// What `set` and `for` write to: a name, an attribute of a namespace, or several of those.
struct Target {
  std::string name;
  std::string attribute;     // empty: the name itself
  std::vector<Target> parts; // not empty, or `is_tuple`: unpacking
  bool is_tuple = false;
};

struct Data {
  std::string text;
};
struct Print {
  std::vector<ExprPtr> expressions;
};
struct Set {
  Target target;
  ExprPtr value;
};
struct SetBlock {
  Target target;
  ExprPtr filter; // may be null
  Body body;
};
struct If {
  std::vector<std::pair<ExprPtr, Body>> branches;
  Body otherwise;
};
struct For {
  Target target;
  ExprPtr iterable, condition; // `condition` may be null
  Body body, otherwise;
};
struct Parameter {
  std::string name;
  ExprPtr fallback; // may be null
};
struct Macro {
  std::string name;
  std::vector<Parameter> parameters;
  Body body;
  bool takes_varargs = false, takes_kwargs = false; // the body mentions those names
};
struct FilterBlock {
  ExprPtr filter;
  Body body;
};
struct With {
  std::vector<std::pair<Target, ExprPtr>> bindings;
  Body body;
};
struct Generation { // Hugging Face's mark of what the assistant said; prints its body
  Body body;
};
struct Break {};
struct Continue {};

struct Statement {
  int line;
  std::variant<Data, Print, Set, SetBlock, If, For, std::unique_ptr<Macro>, FilterBlock, With,
               Generation, Break, Continue>
      node;
};

} // namespace lathe::text::ast
