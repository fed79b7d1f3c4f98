// The cheapest way to cut nodes into two sides: Dinic's maximum flow (1970).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lathe::passes {

class CheapestCut {
public:
  static constexpr int64_t kNever = int64_t{1} << 50; // a cost that no cut pays if it can help it

  int64_t addNode(); // its number, from 0
  // What it costs that the node is on the far side, and that it is on the near side.
  void addCosts(int64_t node, int64_t far, int64_t near);
  // What it costs that `from` is near while `to` is far.
  void addEdge(int64_t from, int64_t to, int64_t cost);
  // Which nodes are far. Where two cuts cost as much, the one with fewer of them.
  std::vector<bool> farSide();

private:
  struct Edge {
    int64_t to, left;
  };
  // Nodes of the graph: the near end, the far end, then those that were added.
  static constexpr int64_t kNear = 0, kFar = 1, kFirst = 2;

  void link(int64_t from, int64_t to, int64_t capacity);
  bool findLevels();
  int64_t push(int64_t node, int64_t most);

  std::vector<Edge> edges_; // each beside its reverse
  std::vector<std::vector<int64_t>> out_ = std::vector<std::vector<int64_t>>(2);
  std::vector<int64_t> level_;
  std::vector<size_t> next_;
};

} // namespace lathe::passes
