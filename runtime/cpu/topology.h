// Cores and memory nodes that this process may use, as the system tells of them.
#pragma once

#include <string>
#include <vector>

namespace lathe::runtime {

// CPUs that have a part of the memory near to them (NUMA), those of this process only.
struct Node {
  int id = 0; // of the system
  std::vector<int> cpus;
  int cores = 0; // siblings of a core counted once
};

// At least one node with at least one core. Where the system tells of no nodes, or of such that do
// not share out the CPUs among them, all CPUs are node 0.
struct Topology {
  std::vector<Node> nodes;
  int quota = 0; // cores' worth of time that the container gives; 0: no limit

  int cores() const;
  int usableCores() const; // cut to the quota
  // The index of the node of thread `thread` of `threads`: neighbours share one, and each has as
  // many as its part of the cores.
  size_t nodeOf(int thread, int threads) const;
};

// `root` stands before "/sys", `allowed` is the affinity mask: rising numbers, at least one.
Topology readTopology(const std::string &root, const std::vector<int> &allowed);

// Read once.
const Topology &thisMachine();

// "0-2,5" as the kernel writes lists of numbers; empty where it is not such a list of rising
// numbers below 65536.
std::vector<int> parseNumberList(const std::string &text);
std::string numberListText(const std::vector<int> &numbers); // of rising numbers

} // namespace lathe::runtime
