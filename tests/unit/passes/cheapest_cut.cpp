// The cheapest cut against trying all of them.
#include "passes/partition/cheapest_cut.h"

#include <random>

#include <gtest/gtest.h>

namespace lathe::passes {
namespace {

struct Graph {
  struct Node {
    int64_t far, near;
  };
  struct Edge {
    int64_t from, to, cost;
  };
  std::vector<Node> nodes;
  std::vector<Edge> edges;

  int64_t cost(const std::vector<bool> &far) const {
    int64_t sum = 0;
    for (size_t i = 0; i < nodes.size(); ++i)
      sum += far[i] ? nodes[i].far : nodes[i].near;
    for (const Edge &edge : edges)
      if (!far[edge.from] && far[edge.to])
        sum += edge.cost;
    return sum;
  }

  std::vector<bool> solve() const {
    CheapestCut cut;
    for (const Node &node : nodes)
      cut.addCosts(cut.addNode(), node.far, node.near);
    for (const Edge &edge : edges)
      cut.addEdge(edge.from, edge.to, edge.cost);
    return cut.farSide();
  }

  int64_t leastOfAll() const {
    int64_t least = INT64_MAX;
    for (uint32_t choice = 0; choice < 1u << nodes.size(); ++choice) {
      std::vector<bool> far(nodes.size());
      for (size_t i = 0; i < nodes.size(); ++i)
        far[i] = choice >> i & 1;
      least = std::min(least, cost(far));
    }
    return least;
  }
};

TEST(CheapestCut, costsAsLittleAsTheBestOfAll) {
  std::mt19937 random(1);
  auto below = [&](int64_t n) { return static_cast<int64_t>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    Graph graph;
    const int64_t count = 1 + below(10);
    for (int64_t i = 0; i < count; ++i)
      graph.nodes.push_back({below(20), below(20)});
    for (int64_t i = below(25); i > 0; --i)
      graph.edges.push_back(
          {below(count), below(count), below(4) == 0 ? CheapestCut::kNever : below(15)});
    EXPECT_EQ(graph.cost(graph.solve()), graph.leastOfAll()) << round;
  }
}

TEST(CheapestCut, leavesNearWhatCostsTheSame) {
  CheapestCut cut;
  cut.addCosts(cut.addNode(), 5, 5);
  EXPECT_EQ(cut.farSide(), std::vector<bool>{false});
}

TEST(CheapestCut, ofALongChainDoesNotRunOutOfStack) {
  CheapestCut cut;
  const int64_t count = 20'000;
  for (int64_t i = 0; i < count; ++i)
    cut.addCosts(cut.addNode(), i == count - 1 ? 0 : 1, i == 0 ? 0 : 2);
  for (int64_t i = 1; i < count; ++i)
    cut.addEdge(i - 1, i, 3);
  EXPECT_EQ(cut.farSide().size(), static_cast<size_t>(count));
}

} // namespace
} // namespace lathe::passes
