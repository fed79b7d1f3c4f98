#include "backends/x86/kernels/step.h"

#include "step_memory.h"

namespace lathe::x86 {
namespace {

// Counts barriers and splits every run in two, the second half first.
struct TestPool {
  int64_t barriers = 0;
  static void parallel(void *pool, lathe_cpu_task task, const void *context, int64_t count) {
    ++static_cast<TestPool *>(pool)->barriers;
    task(context, count / 2, count);
    task(context, 0, count / 2);
  }
};

// Adds operands[1] to the int64 at operands[0] + item.
void addTask(const Frame *frame, const int64_t *operands, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    resolve<int64_t>(frame, operands[0])[i] += operands[1];
}

// Places in the table of operands.
constexpr int64_t add_one = 0, add_ten = 2, add_constant = 4;
const int64_t operands[] = {operand(Buffer::arena, 0),     1, operand(Buffer::arena, 80), 10,
                            operand(Buffer::constants, 8), 5};

struct Machine {
  std::vector<int64_t> arena = std::vector<int64_t>(64);
  std::vector<int64_t> constants = std::vector<int64_t>(4);
  std::vector<int32_t> positions = {0, 1, 6, 2, 3};
  TestPool pool;
  std::vector<std::string> heard;
  size_t host_size = sizeof(lathe_cpu_host);

  static void hear(void *machine, const char *label) {
    static_cast<Machine *>(machine)->heard.push_back(label);
  }
  void run(const std::vector<Region> &regions, int64_t rows, int64_t output_rows) {
    void *buffers[LATHE_CPU_BUFFER_COUNT] = {};
    buffers[LATHE_CPU_ARENA] = arena.data();
    buffers[LATHE_CPU_POSITIONS] = positions.data();
    lathe_cpu_host host = {host_size, &pool, TestPool::parallel, hear, this};
    lathe_cpu_call call = {sizeof(call), &host, rows, output_rows, buffers};
    Task *tasks[] = {addTask, addTask};
    const char *labels[] = {"first", "second"};
    Step step = {tasks,    regions.data(),   static_cast<int64_t>(regions.size()),
                 operands, constants.data(), labels};
    lathe_x86_run(&call, &step);
  }
};

TEST(Run, countsItemsByTheRule) {
  Machine machine;
  machine.run({{0, add_one, 2, 4, 3, RowSource::rows, 0, 0}}, 5, 0); // 2 * ceil(5 * 3 / 4) = 8
  EXPECT_EQ(std::vector<int64_t>(machine.arena.begin(), machine.arena.begin() + 9),
            (std::vector<int64_t>{1, 1, 1, 1, 1, 1, 1, 1, 0}));
  EXPECT_EQ(machine.pool.barriers, 1);
}

TEST(Run, countsTheKeysOfTheLongestContext) {
  Machine machine;
  machine.run({{0, add_one, 2, 3, 1, RowSource::context, 0, 0}}, 5, 0); // 2 * ceil(7 / 3) = 6
  EXPECT_EQ(machine.arena[5], 1);
  EXPECT_EQ(machine.arena[6], 0);
}

TEST(Run, keepsSerialAndSingleItemsOnTheCaller) {
  Machine machine;
  machine.run(
      {{0, add_one, 1, 1, 1, RowSource::none, 0, 0}, {0, add_one, 6, 1, 1, RowSource::none, 1, 0}},
      5, 0);
  EXPECT_EQ(machine.arena[0], 2);
  EXPECT_EQ(machine.arena[5], 1);
  EXPECT_EQ(machine.pool.barriers, 0);
}

TEST(Run, letsJoinedRegionsShareABarrier) {
  Machine machine;
  machine.run({{0, add_one, 3, 1, 1, RowSource::none, 0, 0},
               {0, add_ten, 1, 1, 1, RowSource::output_rows, 0, 1},
               {0, add_constant, 1, 1, 1, RowSource::none, 0, 1},
               {0, add_one, 2, 1, 1, RowSource::none, 0, 0}},
              1, 4);
  EXPECT_EQ(machine.pool.barriers, 2);
  EXPECT_EQ(std::vector<int64_t>(machine.arena.begin(), machine.arena.begin() + 4),
            (std::vector<int64_t>{2, 2, 1, 0}));
  EXPECT_EQ(std::vector<int64_t>(machine.arena.begin() + 10, machine.arena.begin() + 15),
            (std::vector<int64_t>{10, 10, 10, 10, 0}));
  EXPECT_EQ(machine.constants[1], 5);
}

TEST(Run, tellsAnObserverOfEachRegionAndOnceOfJoinedOnes) {
  Machine machine;
  machine.run({{1, add_one, 3, 1, 1, RowSource::none, 0, 0},
               {0, add_ten, 1, 1, 1, RowSource::none, 0, 1},
               {0, add_one, 1, 1, 1, RowSource::none, 1, 0}},
              1, 1);
  EXPECT_EQ(machine.heard, (std::vector<std::string>{"second", "first"}));
}

TEST(Run, readsNoObserverFromAnOlderHost) {
  Machine machine;
  machine.host_size = offsetof(lathe_cpu_host, observe);
  machine.run({{0, add_one, 3, 1, 1, RowSource::none, 0, 0}}, 1, 1);
  EXPECT_TRUE(machine.heard.empty());
}

TEST(Run, skipsRegionsWithoutItems) {
  Machine machine;
  machine.run({{0, add_one, 3, 1, 1, RowSource::output_rows, 0, 0}}, 1, 0);
  EXPECT_EQ(machine.arena[0], 0);
  EXPECT_EQ(machine.pool.barriers, 0);
}

} // namespace
} // namespace lathe::x86
