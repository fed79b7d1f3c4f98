#include "passes/partition/cheapest_cut.h"

#include <algorithm>

namespace lathe::passes {

int64_t CheapestCut::addNode() {
  out_.emplace_back();
  return static_cast<int64_t>(out_.size()) - 1 - kFirst;
}

void CheapestCut::link(int64_t from, int64_t to, int64_t capacity) {
  out_[from].push_back(static_cast<int64_t>(edges_.size()));
  edges_.push_back({to, capacity});
  out_[to].push_back(static_cast<int64_t>(edges_.size()));
  edges_.push_back({from, 0});
}

void CheapestCut::addCosts(int64_t node, int64_t far, int64_t near) {
  link(kNear, node + kFirst, far);
  link(node + kFirst, kFar, near);
}

void CheapestCut::addEdge(int64_t from, int64_t to, int64_t cost) {
  link(from + kFirst, to + kFirst, cost);
}

// Distances from the near end over edges with something left.
bool CheapestCut::findLevels() {
  level_.assign(out_.size(), -1);
  level_[kNear] = 0;
  std::vector<int64_t> queue = {kNear};
  for (size_t i = 0; i < queue.size(); ++i)
    for (int64_t edge : out_[queue[i]])
      if (edges_[edge].left > 0 && level_[edges_[edge].to] < 0) {
        level_[edges_[edge].to] = level_[queue[i]] + 1;
        queue.push_back(edges_[edge].to);
      }
  return level_[kFar] >= 0;
}

int64_t CheapestCut::push(int64_t node, int64_t most) {
  if (node == kFar)
    return most;
  for (size_t &i = next_[node]; i < out_[node].size(); ++i) {
    Edge &edge = edges_[out_[node][i]];
    if (edge.left <= 0 || level_[edge.to] != level_[node] + 1)
      continue;
    const int64_t pushed = push(edge.to, std::min(most, edge.left));
    if (pushed == 0)
      continue;
    edge.left -= pushed;
    edges_[out_[node][i] ^ 1].left += pushed;
    return pushed;
  }
  return 0;
}

std::vector<bool> CheapestCut::farSide() {
  while (findLevels()) {
    next_.assign(out_.size(), 0);
    while (push(kNear, INT64_MAX) > 0) {
    }
  }
  // What the far end can still be reached from is far; all else may stay near.
  std::vector<bool> reaches(out_.size(), false);
  reaches[kFar] = true;
  std::vector<int64_t> queue = {kFar};
  for (size_t i = 0; i < queue.size(); ++i)
    for (int64_t edge : out_[queue[i]])
      if (edges_[edge ^ 1].left > 0 && !reaches[edges_[edge].to]) {
        reaches[edges_[edge].to] = true;
        queue.push_back(edges_[edge].to);
      }
  return {reaches.begin() + kFirst, reaches.end()};
}

} // namespace lathe::passes
