#include "runtime/cpu/topology.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <linux/mempolicy.h>
#include <numeric>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/cpu/nodes.h"

namespace lathe::runtime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<int> upTo(int count) {
  std::vector<int> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

// A folder that plays the system's.
class FakeSystem {
public:
  FakeSystem() {
    std::string name = testing::TempDir() + "/topologyXXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~FakeSystem() { std::filesystem::remove_all(root_); }

  void write(const std::string &path, const std::string &text) const {
    std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << "\n";
  }
  void writeNode(int id, const std::string &cpus) const {
    write("/sys/devices/system/node/node" + std::to_string(id) + "/cpulist", cpus);
  }
  void writeSiblings(int cpu, const std::string &siblings) const {
    write("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list",
          siblings);
  }
  Topology read(const std::vector<int> &allowed) const { return readTopology(root_, allowed); }

private:
  std::string root_;
};

// Two nodes of four cores with two threads each: 0-3 and 8-11, 4-7 and 12-15.
struct TwoNodes : testing::Test, FakeSystem {
  TwoNodes() {
    write("/sys/devices/system/cpu/online", "0-15");
    write("/sys/devices/system/node/online", "0-1");
    writeNode(0, "0-3,8-11");
    writeNode(1, "4-7,12-15");
    for (int core = 0; core < 8; ++core)
      for (int cpu : {core, core + 8})
        writeSiblings(cpu, std::to_string(core) + "," + std::to_string(core + 8));
  }
};

TEST_F(TwoNodes, areReadWithTheirCores) {
  const Topology topology = read(upTo(16));
  ASSERT_EQ(topology.nodes.size(), 2u);
  EXPECT_THAT(topology.nodes[0].cpus, ElementsAre(0, 1, 2, 3, 8, 9, 10, 11));
  EXPECT_THAT(topology.nodes[1].cpus, ElementsAre(4, 5, 6, 7, 12, 13, 14, 15));
  EXPECT_EQ(topology.nodes[0].cores, 4);
  EXPECT_EQ(topology.nodes[1].cores, 4);
  EXPECT_EQ(topology.usableCores(), 8);
}

TEST_F(TwoNodes, countOnlyWhatTheAffinityMaskAllows) {
  const Topology topology = read({2, 3, 4, 10});
  ASSERT_EQ(topology.nodes.size(), 2u);
  EXPECT_THAT(topology.nodes[0].cpus, ElementsAre(2, 3, 10));
  EXPECT_EQ(topology.nodes[0].cores, 2); // 2 and 10 are one
  EXPECT_EQ(topology.nodes[1].cores, 1);
  EXPECT_EQ(read({5, 6}).nodes.size(), 1u) << "a mask in one node";
}

TEST_F(TwoNodes, leaveOutCpusThatAreOffline) {
  write("/sys/devices/system/cpu/online", "0-1,4-9,12-15");
  const Topology topology = read(upTo(16));
  EXPECT_THAT(topology.nodes[0].cpus, ElementsAre(0, 1, 8, 9));
  EXPECT_EQ(topology.cores(), 6);
}

TEST_F(TwoNodes, areCutToTheContainersQuota) {
  write("/sys/fs/cgroup/cpu.max", "250000 100000");
  EXPECT_EQ(read(upTo(16)).usableCores(), 3);
  EXPECT_EQ(read(upTo(16)).cores(), 8);
  for (const char *none : {"max 100000", "0 100000", "-5 100000", "100000 0", "", "x"}) {
    write("/sys/fs/cgroup/cpu.max", none);
    EXPECT_EQ(read(upTo(16)).usableCores(), 8) << none;
  }
}

TEST_F(TwoNodes, shareThreadsByTheirCores) {
  auto nodesOf = [](const Topology &topology, int threads) {
    std::vector<size_t> nodes;
    for (int thread = 0; thread < threads; ++thread)
      nodes.push_back(topology.nodeOf(thread, threads));
    return nodes;
  };
  const Topology whole = read(upTo(16));
  EXPECT_THAT(nodesOf(whole, 8), ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  EXPECT_THAT(nodesOf(whole, 2), ElementsAre(0, 1));
  EXPECT_THAT(nodesOf(whole, 3), ElementsAre(0, 1, 1));
  EXPECT_THAT(nodesOf(read({0, 4, 5, 6}), 4), ElementsAre(0, 1, 1, 1));
  const std::vector<size_t> many = nodesOf(whole, 1000);
  EXPECT_EQ(std::count(many.begin(), many.end(), 1u), 500);
}

TEST_F(TwoNodes, mayHaveHolesInTheirNumbersAndMemoryAlone) {
  write("/sys/devices/system/node/online", "0,3-4");
  writeNode(3, "4-7,12-15");
  writeNode(4, ""); // memory without a CPU
  const Topology topology = read(upTo(16));
  ASSERT_EQ(topology.nodes.size(), 2u);
  EXPECT_EQ(topology.nodes[1].id, 3);
}

TEST_F(TwoNodes, areNotBelievedWhereTheyDoNotShareOutTheCpus) {
  for (const char *wrong : {"", "4-7", "3-7,12-15", "7-4", "4-", "4-7,,12-15", "4-99999999999",
                            "-4", "4-7,x", "0x4-7"}) {
    writeNode(1, wrong);
    const Topology topology = read(upTo(16));
    ASSERT_EQ(topology.nodes.size(), 1u) << wrong;
    EXPECT_EQ(topology.nodes[0].cpus.size(), 16u) << wrong;
    EXPECT_EQ(topology.cores(), 8) << wrong;
  }
}

TEST_F(TwoNodes, areToldToPeople) {
  EXPECT_EQ(
      placementText(read(upTo(16))),
      R"({"nodes": 2, "node0": "4 cores, CPUs 0-3,8-11", "node1": "4 cores, CPUs 4-7,12-15", )"
      R"("placement": "threads stay on a node, buffers are interleaved"})");
  EXPECT_EQ(placementText(read({0, 1})), R"({"nodes": 1})");
}

TEST(Topology, isOneNodeWhereTheSystemTellsNothing) {
  const Topology topology = FakeSystem().read({0, 2, 5});
  ASSERT_EQ(topology.nodes.size(), 1u);
  EXPECT_THAT(topology.nodes[0].cpus, ElementsAre(0, 2, 5));
  EXPECT_EQ(topology.usableCores(), 3);
}

TEST(NumberLists, areReadAsTheKernelWritesThem) {
  EXPECT_THAT(parseNumberList("0-2,5\n"), ElementsAre(0, 1, 2, 5));
  EXPECT_THAT(parseNumberList("65535"), ElementsAre(65535));
  for (const char *wrong : {"", "\n", "65536", "1,1", "2-1", "1-3,2", "+1", " 1, 2", "1-2-3"})
    EXPECT_THAT(parseNumberList(wrong), IsEmpty()) << wrong;
  for (const char *list : {"0", "0-1", "0-3,8-11", "1,3,5", "0,2-3"})
    EXPECT_EQ(numberListText(parseNumberList(list)), list);
}

// Both calls on real CPUs and memory: the machine's first node, beside one that has none of its
// own.
class Placement : public testing::Test {
protected:
  static Topology pretended() {
    Topology topology = thisMachine();
    topology.nodes.resize(1);
    topology.nodes.push_back(topology.nodes[0]);
    return topology;
  }
};

TEST_F(Placement, keepsAThreadToItsNode) {
  const Topology topology = pretended();
  std::thread([&] {
    enterNode(topology, 1, 2);
    cpu_set_t mask;
    ASSERT_EQ(sched_getaffinity(0, sizeof mask, &mask), 0);
    EXPECT_EQ(CPU_COUNT(&mask), static_cast<int>(topology.nodes[1].cpus.size()));
  }).join();
}

TEST_F(Placement, interleavesWhereTheSystemLetsIt) {
  const size_t bytes = 1 << 20;
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto policy = [&] {
    int mode = -1;
    return syscall(SYS_get_mempolicy, &mode, nullptr, 0, memory, MPOL_F_ADDR) == 0 ? mode : -1;
  };
  if (policy() == MPOL_DEFAULT) { // else the container forbids these calls
    interleave(thisMachine(), memory, bytes);
    EXPECT_EQ(policy(), thisMachine().nodes.size() < 2 ? MPOL_DEFAULT : MPOL_INTERLEAVE);
    interleave(pretended(), memory, bytes);
    EXPECT_EQ(policy(), MPOL_INTERLEAVE);
  }
  static_cast<char *>(memory)[bytes - 1] = 1;
  munmap(memory, bytes);
}

} // namespace
} // namespace lathe::runtime
