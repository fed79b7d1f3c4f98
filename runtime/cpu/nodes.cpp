#include "runtime/cpu/nodes.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace lathe::runtime {
namespace {

// Bits of numbers, as the kernel takes sets.
class Mask {
public:
  explicit Mask(int largest) : words_(largest / kBits + 1) {}
  void add(int number) { words_[number / kBits] |= 1ul << number % kBits; }
  const unsigned long *words() const { return words_.data(); }
  size_t bytes() const { return words_.size() * sizeof(unsigned long); }
  unsigned long bits() const { return words_.size() * kBits; }

private:
  static constexpr int kBits = 8 * sizeof(unsigned long);
  std::vector<unsigned long> words_;
};

} // namespace

void enterNode(const Topology &topology, int thread, int threads) {
  if (topology.nodes.size() < 2)
    return;
  const Node &node = topology.nodes[topology.nodeOf(thread, threads)];
  Mask mask(node.cpus.back());
  for (int cpu : node.cpus)
    mask.add(cpu);
  sched_setaffinity(0, mask.bytes(), reinterpret_cast<const cpu_set_t *>(mask.words()));
}

void interleave(const Topology &topology, void *memory, uint64_t bytes) {
  if (topology.nodes.size() < 2)
    return;
  Mask mask(topology.nodes.back().id);
  for (const Node &node : topology.nodes)
    mask.add(node.id);
  // The kernel takes one bit less than it is told of.
  syscall(SYS_mbind, memory, bytes, MPOL_INTERLEAVE, mask.words(), mask.bits() + 1, 0);
}

std::string placementText(const Topology &topology) {
  std::string text = absl::StrCat("{\"nodes\": ", topology.nodes.size());
  if (topology.nodes.size() >= 2) {
    for (const Node &node : topology.nodes)
      absl::StrAppend(&text, ", \"node", node.id, "\": \"", node.cores, " cores, CPUs ",
                      numberListText(node.cpus), "\"");
    absl::StrAppend(&text, ", \"placement\": \"threads stay on a node, buffers are interleaved\"");
  }
  return text + "}";
}

} // namespace lathe::runtime
