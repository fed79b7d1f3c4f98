// Placement on a machine of several memory nodes; nothing is done on a machine of one. What the
// system refuses (containers may) is done without: results do not depend on it.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/cpu/topology.h"

namespace lathe::runtime {

// Keeps the calling thread, one of a pool, to the CPUs of its node: not to one of them, since a
// thread that is pinned waits for a busy core while others of the node are idle. What it touches
// first then lies near it.
void enterNode(const Topology &topology, int thread, int threads);

// Has pages of `memory` that nobody has touched yet come from all nodes in turn: for what threads
// of all nodes share. `memory` begins at a page.
void interleave(const Topology &topology, void *memory, uint64_t bytes);

// A JSON object for people: nodes, their cores and CPUs, and what is done about them.
std::string placementText(const Topology &topology);

} // namespace lathe::runtime
