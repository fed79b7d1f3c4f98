#include "text/chat/ast.h"

#include <algorithm>

namespace lathe::text::ast {
namespace {

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
int deepest(const Arguments &a) {
  return std::max(
      {deepest(a.positional), deepest(a.named), deepest(a.spread), deepest(a.spread_named)});
}

struct ChildDepth {
  int operator()(const Literal &) const { return 0; }
  int operator()(const Name &) const { return 0; }
  int operator()(const ListDisplay &n) const { return deepest(n.items); }
  int operator()(const DictDisplay &n) const {
    int depth = deepest(n.entries);
    for (const auto &entry : n.entries)
      depth = std::max(depth, deepest(entry.first));
    return depth;
  }
  int operator()(const Unary &n) const { return deepest(n.operand); }
  int operator()(const Binary &n) const { return std::max(deepest(n.left), deepest(n.right)); }
  int operator()(const Logical &n) const { return std::max(deepest(n.left), deepest(n.right)); }
  int operator()(const Concat &n) const { return deepest(n.parts); }
  int operator()(const Compare &n) const { return std::max(deepest(n.first), deepest(n.rest)); }
  int operator()(const Conditional &n) const {
    return std::max({deepest(n.condition), deepest(n.then), deepest(n.otherwise)});
  }
  int operator()(const Attribute &n) const { return deepest(n.object); }
  int operator()(const Subscript &n) const { return std::max(deepest(n.object), deepest(n.index)); }
  int operator()(const Slice &n) const {
    return std::max({deepest(n.object), deepest(n.begin), deepest(n.end), deepest(n.step)});
  }
  int operator()(const Call &n) const { return std::max(deepest(n.callee), deepest(n.arguments)); }
  int operator()(const Filter &n) const {
    return std::max(deepest(n.subject), deepest(n.arguments));
  }
  int operator()(const Test &n) const { return std::max(deepest(n.subject), deepest(n.arguments)); }
};

} // namespace

int depthBelow(const Node &node) { return std::visit(ChildDepth(), node); }

} // namespace lathe::text::ast
