// The CPU as a device.
#include "runtime/cpu/device.h"

#include <algorithm>
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/cpu/thread_pool.h"
#include "tests/unit/runtime/fake_model.h"

namespace lathe::runtime {
namespace {

using testing::HasSubstr;
using Verdict = Compatibility::Verdict;

std::shared_ptr<Device> cpuOf(std::set<std::string, std::less<>> features, int threads = 1) {
  CpuOptions options;
  options.threads = threads;
  options.features = CpuFeatures("x86_64", std::move(features));
  auto device = createCpuDevice(options);
  EXPECT_TRUE(device.ok()) << device.status();
  return *std::move(device);
}

absl::Span<const uint8_t> bytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

TEST(CpuDevice, refusesNumbersOfThreadsThatMakeNoSense) {
  for (int threads : {-1, kMaxThreads + 1}) {
    CpuOptions options;
    options.threads = threads;
    EXPECT_THAT(createCpuDevice(options).status().message(),
                HasSubstr("must be from 1 to 1024, or 0 for one a core"));
  }
}

TEST(CpuDevice, saysWhatItIs) {
  auto device = cpuOf({"avx2", "fma", "f16c"}, 3);
  EXPECT_EQ(device->properties().kind, "cpu");
  EXPECT_EQ(device->properties().level, "x86-64-v3");
  EXPECT_EQ(device->properties().compatibility, "arch=x86_64;features=avx2,f16c,fma");
  EXPECT_EQ(device->properties().parallelism, 3u);
  EXPECT_TRUE(device->properties().host_visible);
  EXPECT_GT(device->properties().memory_bytes, 0u);
  EXPECT_FALSE(device->properties().name.empty());
}

TEST(CpuDevice, ranksCodeByLevelThenByFeatures) {
  auto device = cpuOf({"avx2", "fma", "f16c", "avxvnni"});
  auto plain = *device->compatibility("arch=x86_64");
  auto v3 = *device->compatibility("arch=x86_64;features=avx2,fma,f16c");
  auto vnni = *device->compatibility("arch=x86_64;features=avx2,fma,f16c,avxvnni");
  auto v4 = *device->compatibility("arch=x86_64;features=avx512f");
  EXPECT_EQ(plain.verdict, Verdict::usable);
  EXPECT_THAT(plain.reason, HasSubstr("this CPU has x86-64-v3; compile with --target x86-64-v3"));
  EXPECT_EQ(v3.verdict, Verdict::optimal);
  EXPECT_EQ(v3.reason, "");
  EXPECT_EQ(v4.verdict, Verdict::no);
  EXPECT_THAT(v4.reason, HasSubstr("needs avx512f"));
  EXPECT_LT(plain.rank, v3.rank);
  EXPECT_LT(v3.rank, vnni.rank);
  EXPECT_EQ(device->compatibility("gibberish")->verdict, Verdict::no);
}

TEST(CpuDevice, givesZeroedMemoryThatCanBeClearedAgain) {
  auto device = cpuOf({});
  auto buffer = device->allocate(100'000, LATHE_BUFFER_ZEROED);
  ASSERT_TRUE(buffer.ok());
  auto *bytes = static_cast<char *>(*buffer->map(LATHE_MAP_READ | LATHE_MAP_WRITE));
  EXPECT_EQ(std::string(bytes, 100'000), std::string(100'000, '\0'));
  std::memset(bytes, 'x', 100'000);
  ASSERT_TRUE(buffer->clear().ok());
  EXPECT_EQ(std::string(bytes, 100'000), std::string(100'000, '\0'));
}

TEST(CpuDevice, refusesAlignmentsAndSizesThatItCannotGive) {
  auto device = cpuOf({});
  EXPECT_THAT(device->allocate(8, 0, 3).status().message(),
              HasSubstr("alignment 3 is not a power of two"));
  EXPECT_THAT(device->allocate(8, 0, 8192).status().message(), HasSubstr("alignment 8192"));
  EXPECT_EQ(device->allocate(~0ull, 0).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(device->allocate(1ull << 53, 0).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(device->allocate(0, 0).ok());
}

TEST(CpuDevice, importsWithoutCopyingAndKeepsItReadOnly) {
  auto device = cpuOf({});
  alignas(64) static const uint8_t memory[128] = {1, 2, 3};
  auto buffer = device->import(memory);
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ(*buffer->map(LATHE_MAP_READ), memory);
  EXPECT_THAT(buffer->map(LATHE_MAP_WRITE).status().message(),
              HasSubstr("cannot be mapped for writing"));
  EXPECT_THAT(buffer->clear().message(), HasSubstr("cannot be cleared"));
}

TEST(CpuDevice, refusesCodeThatNeedsMoreThanItHas) {
  auto device = cpuOf({"avx2"});
  std::string code = fakeCode();
  EXPECT_TRUE(device->load(bytesOf(code), "arch=x86_64;features=avx2").ok());
  absl::Status status = device->load(bytesOf(code), "arch=x86_64;features=avx512f").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("needs avx512f"));
  EXPECT_FALSE(device->load(bytesOf(code), "os=linux").ok());
}

TEST(CpuDevice, refusesCodeThatIsWrong) {
  struct {
    const char *code, *message;
  } cases[] = {
      {"fake_no_symbol", "has no symbol lathe_cpu_executable"},
      {"fake_short_table", "its table has 8 bytes, at least 24 are needed"},
      {"fake_version", "has version 2, this runtime runs 1; compile the model again"},
      {"fake_no_entries", "has 0 entries, there must be from 1 to 256"},
      {"fake_many_entries", "has 257 entries"},
      {"fake_nameless_entry", "an entry has no name or no code"},
      {"fake_empty_entry", "an entry has no name or no code"},
  };
  auto device = cpuOf({});
  for (auto c : cases) {
    std::string code = fakeCode(c.code);
    EXPECT_THAT(device->load(bytesOf(code), "arch=x86_64").status().message(), HasSubstr(c.message))
        << c.code;
  }
}

TEST(CpuDevice, keepsTwoExecutablesApart) {
  auto device = cpuOf({});
  std::string code = fakeCode();
  auto one = device->load(bytesOf(code), "arch=x86_64");
  auto two = device->load(bytesOf(code), "arch=x86_64");
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(one->handle(), two->handle());
  EXPECT_EQ(*one->entry("decode"), 0u);
  *one = Executable();
  EXPECT_EQ(*two->entry("prefill"), 1u);
  EXPECT_EQ(two->entry("train").status().message(),
            "executable: has no entry 'train'; it has decode, prefill, nothing");
}

TEST(CpuDevice, refusesRunsOfWhatIsNotThere) {
  auto device = cpuOf({});
  std::string code = fakeCode();
  auto executable = device->load(bytesOf(code), "arch=x86_64");
  ASSERT_TRUE(executable.ok());
  std::vector<lathe_binding> buffers(3);
  EXPECT_THAT(device->run(*executable, 0, buffers, 1, 1).message(),
              HasSubstr("entry 0 of 3 called with 3 buffers; an entry takes 8"));
  buffers.resize(8);
  EXPECT_THAT(device->run(*executable, 3, buffers, 1, 1).message(), HasSubstr("entry 3 of 3"));
}

// The promise is 1 us of a release build; it takes 50 to 150 ns. The least of many batches, each
// far shorter than a turn on the processor, since others use the machine.
TEST(CpuDevice, aCallThroughTheTableTakesLessThanAMicrosecond) {
  auto device = cpuOf({});
  std::string code = fakeCode();
  auto executable = device->load(bytesOf(code), "arch=x86_64");
  ASSERT_TRUE(executable.ok());
  auto buffer = device->allocate(64, 0);
  std::vector<lathe_binding> bindings(8, buffer->binding());
  uint32_t entry = *executable->entry("nothing");
  double least = 1;
  for (int batch = 0; batch < 1000; ++batch) {
    auto start = std::chrono::steady_clock::now();
    for (int call = 0; call < 100; ++call)
      ASSERT_TRUE(device->run(*executable, entry, bindings, 1, 1).ok());
    std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    least = std::min(least, spent.count() / 100);
  }
  RecordProperty("nanoseconds", static_cast<int>(least * 1e9));
#ifdef NDEBUG
  EXPECT_LT(least, 1e-6);
#endif
}

} // namespace
} // namespace lathe::runtime
