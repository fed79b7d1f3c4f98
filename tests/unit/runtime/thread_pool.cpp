#include "runtime/cpu/thread_pool.h"

#include <chrono>
#include <pthread.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::runtime {
namespace {

struct Counts {
  explicit Counts(int64_t count) : times(new std::atomic<int>[count]()), size(count) {}
  bool eachOnce() const {
    for (int64_t i = 0; i < size; ++i)
      if (times[i] != 1)
        return false;
    return true;
  }
  std::unique_ptr<std::atomic<int>[]> times;
  int64_t size;
};

void countItems(const void *context, int64_t begin, int64_t end) {
  const auto &counts = *static_cast<const Counts *>(context);
  for (int64_t i = begin; i < end; ++i)
    counts.times[i].fetch_add(1, std::memory_order_relaxed);
}

class ThreadPoolOf : public testing::TestWithParam<int> {};

TEST_P(ThreadPoolOf, doesEveryItemOnceWhateverTheirNumber) {
  ThreadPool pool(GetParam());
  for (int64_t count : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 100, 1000, 12345}) {
    Counts counts(count);
    pool.run(countItems, &counts, count);
    EXPECT_TRUE(counts.eachOnce()) << count;
  }
}

TEST_P(ThreadPoolOf, doesNothingForNoItems) {
  ThreadPool pool(GetParam());
  Counts counts(1);
  pool.run(countItems, &counts, 0);
  pool.run(countItems, &counts, -5);
  EXPECT_EQ(counts.times[0], 0);
}

TEST_P(ThreadPoolOf, showsTheCallerWhatWasWritten) {
  ThreadPool pool(GetParam());
  std::vector<int64_t> values(1000);
  for (int64_t round = 0; round < 2000; ++round) {
    struct Context {
      int64_t *values, round;
    } context{values.data(), round};
    pool.run(
        [](const void *context, int64_t begin, int64_t end) {
          auto [values, round] = *static_cast<const Context *>(context);
          for (int64_t i = begin; i < end; ++i)
            values[i] = round + i;
        },
        &context, values.size());
    for (size_t i = 0; i < values.size(); i += 111)
      ASSERT_EQ(values[i], round + static_cast<int64_t>(i));
  }
}

// A region inside of a region would overwrite the outer one; it runs alone instead.
TEST_P(ThreadPoolOf, runsARegionInsideOfARegion) {
  ThreadPool pool(GetParam());
  Counts counts(50 * 20);
  struct Context {
    ThreadPool *pool;
    Counts *counts;
  } context{&pool, &counts};
  pool.run(
      [](const void *context, int64_t begin, int64_t end) {
        auto [pool, counts] = *static_cast<const Context *>(context);
        for (int64_t outer = begin; outer < end; ++outer) {
          std::pair<Counts *, int64_t> inner(counts, outer * 20);
          pool->run(
              [](const void *context, int64_t begin, int64_t end) {
                auto [counts, first] = *static_cast<const std::pair<Counts *, int64_t> *>(context);
                countItems(counts, first + begin, first + end);
              },
              &inner, 20);
        }
      },
      &context, 50);
  EXPECT_TRUE(counts.eachOnce());
  Counts after(100); // and the pool is sound afterwards
  pool.run(countItems, &after, 100);
  EXPECT_TRUE(after.eachOnce());
}

TEST_P(ThreadPoolOf, canUseAnotherPoolInsideOfARegion) {
  ThreadPool outer(GetParam());
  Counts counts(40);
  struct Context {
    Counts *counts;
  } context{&counts};
  outer.run(
      [](const void *context, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          ThreadPool own(2);
          std::pair<Counts *, int64_t> inner(static_cast<const Context *>(context)->counts, i * 10);
          own.run(
              [](const void *context, int64_t begin, int64_t end) {
                auto [counts, first] = *static_cast<const std::pair<Counts *, int64_t> *>(context);
                countItems(counts, first + begin, first + end);
              },
              &inner, 10);
        }
      },
      &context, 4);
  EXPECT_TRUE(counts.eachOnce());
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolOf, testing::Values(1, 2, 3, 4, 7, 64));

TEST(ThreadPool, helpsAThreadThatIsHeldUp) {
  ThreadPool pool(3);
  Counts counts(24); // one item a unit
  pool.run(
      [](const void *context, int64_t begin, int64_t end) {
        if (begin == 0)
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
        countItems(context, begin, end);
      },
      &counts, 24);
  EXPECT_TRUE(counts.eachOnce());
}

TEST(ThreadPool, wakesThreadsThatSleep) {
  ThreadPool pool(4);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Counts counts(32);
    pool.run(countItems, &counts, 32);
    EXPECT_TRUE(counts.eachOnce());
  }
}

TEST(ThreadPool, takesNumbersOutOfRangeForTheNearest) {
  EXPECT_EQ(ThreadPool(0).threads(), 1);
  EXPECT_EQ(ThreadPool(-7).threads(), 1);
}

TEST(ThreadPool, endsWithoutHavingRun) {
  for (int threads : {1, 2, 16})
    ThreadPool pool(threads);
}

// As when the container's limit on processes is reached.
TEST(ThreadPool, makesDoWithTheThreadsThatItGets) {
  pthread_attr_t before, greedy;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  ASSERT_EQ(pthread_attr_init(&greedy), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&greedy, size_t{1} << 48),
            0); // more than there are addresses
  ASSERT_EQ(pthread_setattr_default_np(&greedy), 0);
  {
    ThreadPool pool(4);
    ASSERT_EQ(pthread_setattr_default_np(&before), 0);
    EXPECT_EQ(pool.threads(), 1);
    Counts counts(100);
    pool.run(countItems, &counts, 100);
    EXPECT_TRUE(counts.eachOnce());
  }
  pthread_attr_destroy(&before);
  pthread_attr_destroy(&greedy);
}

TEST(UsableCores, areAtLeastOneAndNoMoreThanThereAre) {
  EXPECT_GE(usableCores(), 1);
  EXPECT_LE(usableCores(), std::max(1u, std::thread::hardware_concurrency()));
}

} // namespace
} // namespace lathe::runtime
