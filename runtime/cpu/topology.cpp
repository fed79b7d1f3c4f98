#include "runtime/cpu/topology.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sched.h>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace lathe::runtime {
namespace {

constexpr int kMaxNumber = 65535; // of a CPU or a node

std::string firstLine(const std::string &path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  return line;
}

bool parseNumber(absl::string_view text, int *number) {
  return !text.empty() && absl::ascii_isdigit(text[0]) && absl::SimpleAtoi(text, number) &&
         *number <= kMaxNumber;
}

// Appends "3" or "3-5"; false where it is neither or does not rise.
bool appendRange(absl::string_view text, std::vector<int> &numbers) {
  std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(text, absl::MaxSplits('-', 1));
  int first = 0, last = 0;
  bool single = !absl::StrContains(text, '-');
  if (!parseNumber(ends.first, &first) || !parseNumber(single ? ends.first : ends.second, &last))
    return false;
  if (last < first || (!numbers.empty() && first <= numbers.back()))
    return false;
  for (int number = first; number <= last; ++number)
    numbers.push_back(number);
  return true;
}

std::vector<int> common(const std::vector<int> &a, const std::vector<int> &b) {
  std::vector<int> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

// Threads of one core give the same list, so that a set of lists counts cores.
int coresOf(const std::string &root, const std::vector<int> &cpus) {
  std::set<std::string> cores;
  for (int cpu : cpus) {
    std::string name = absl::StrCat("cpu", cpu);
    std::string siblings = firstLine(
        absl::StrCat(root, "/sys/devices/system/cpu/", name, "/topology/thread_siblings_list"));
    cores.insert(siblings.empty() ? name : siblings);
  }
  return static_cast<int>(cores.size());
}

std::vector<Node> nodesOf(const std::string &root, const std::vector<int> &cpus) {
  const std::string folder = root + "/sys/devices/system/node";
  std::vector<Node> nodes;
  for (int id : parseNumberList(firstLine(folder + "/online"))) {
    std::string path = absl::StrCat(folder, "/node", id, "/cpulist");
    Node node{id, common(cpus, parseNumberList(firstLine(path)))};
    if (!node.cpus.empty()) // a node may be memory alone
      nodes.push_back(std::move(node));
  }
  return nodes;
}

bool shareOut(const std::vector<Node> &nodes, const std::vector<int> &cpus) {
  std::vector<int> all;
  for (const Node &node : nodes)
    all.insert(all.end(), node.cpus.begin(), node.cpus.end());
  std::sort(all.begin(), all.end());
  return all == cpus;
}

// cgroup v2's cpu.max of the container, "quota period" in microseconds; 0 where there is none.
int quotaOf(const std::string &root) {
  std::ifstream stream(root + "/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(stream >> quota >> period) || period <= 0 || quota <= 0)
    return 0;
  return static_cast<int>(std::min<double>(std::ceil(quota / period), kMaxNumber));
}

std::vector<int> allowedCpus() {
  constexpr size_t size = CPU_ALLOC_SIZE(kMaxNumber + 1);
  std::vector<cpu_set_t> mask(size / sizeof(cpu_set_t));
  std::vector<int> cpus;
  if (sched_getaffinity(0, size, mask.data()) == 0)
    for (int cpu = 0; cpu <= kMaxNumber; ++cpu)
      if (CPU_ISSET_S(cpu, size, mask.data()))
        cpus.push_back(cpu);
  return cpus.empty() ? std::vector<int>{0} : cpus;
}

} // namespace

std::vector<int> parseNumberList(const std::string &text) {
  std::vector<int> numbers;
  for (absl::string_view range : absl::StrSplit(absl::StripAsciiWhitespace(text), ','))
    if (!appendRange(range, numbers))
      return {};
  return numbers;
}

std::string numberListText(const std::vector<int> &numbers) {
  std::string text;
  for (size_t first = 0, last; first < numbers.size(); first = last + 1) {
    for (last = first; last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1;)
      ++last;
    absl::StrAppend(&text, text.empty() ? "" : ",", numbers[first]);
    if (last > first)
      absl::StrAppend(&text, "-", numbers[last]);
  }
  return text;
}

int Topology::usableCores() const { return quota > 0 ? std::min(quota, cores()) : cores(); }

int Topology::cores() const {
  int cores = 0;
  for (const Node &node : nodes)
    cores += node.cores;
  return cores;
}

size_t Topology::nodeOf(int thread, int threads) const {
  int64_t core = (int64_t{2} * thread + 1) * cores() / (int64_t{2} * threads);
  size_t index = 0;
  while (index + 1 < nodes.size() && core >= nodes[index].cores)
    core -= nodes[index++].cores;
  return index;
}

Topology readTopology(const std::string &root, const std::vector<int> &allowed) {
  std::vector<int> online = parseNumberList(firstLine(root + "/sys/devices/system/cpu/online"));
  std::vector<int> cpus = common(allowed, online);
  if (cpus.empty()) // nothing that could be believed
    cpus = allowed;
  Topology topology{nodesOf(root, cpus), quotaOf(root)};
  if (!shareOut(topology.nodes, cpus))
    topology.nodes = {{0, cpus}};
  for (Node &node : topology.nodes)
    node.cores = coresOf(root, node.cpus);
  return topology;
}

const Topology &thisMachine() {
  static const Topology topology = readTopology("", allowedCpus());
  return topology;
}

} // namespace lathe::runtime
