// From a program to loaded code: the path that every model takes, with the smallest program.
#include <dlfcn.h>
#include <fstream>
#include <sys/mman.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlir/IR/MLIRContext.h"

#include "backends/x86/emit.h"
#include "backends/x86/kernels/rows.h"
#include "backends/x86/object.h"
#include "runtime/abi/cpu_executable.h"

namespace lathe::x86 {
namespace {

constexpr int64_t kColumns = 5;

// arena[0:5] + arena[64:] -> arena[128:], in one row.
Program addProgram(int copies) {
  Program program;
  AddParams params{{RowSource::rows, 1, 1}, kColumns, kColumns, kColumns, kColumns};
  StepProgram step;
  step.name = "decode";
  for (int i = 0; i < copies; ++i) {
    RegionUse region;
    region.kernel = program.kernelIndex(kernelUse("add", params));
    region.operands = {operand(Buffer::arena, 0), operand(Buffer::arena, 64),
                       operand(Buffer::arena, 128)};
    region.row_source = RowSource::rows;
    step.regions.push_back(region);
  }
  program.steps.push_back(step);
  return program;
}

std::string compile(const Program &program, const char *level) {
  mlir::MLIRContext context;
  auto module = emitProgram(context, program);
  auto code = makeSharedObject(*module, *findLevel(level));
  EXPECT_TRUE(code.ok()) << code.status();
  return code.value_or("");
}

const lathe_cpu_executable *load(const std::string &code) {
  int descriptor = memfd_create("code", MFD_CLOEXEC);
  EXPECT_EQ(write(descriptor, code.data(), code.size()), static_cast<ssize_t>(code.size()));
  void *library =
      dlopen(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library, nullptr) << dlerror();
  return static_cast<const lathe_cpu_executable *>(dlsym(library, LATHE_CPU_EXECUTABLE_SYMBOL));
}

void serialPool(void *, lathe_cpu_task task, const void *context, int64_t count) {
  task(context, 0, count);
}

TEST(MakeSharedObject, givesCodeThatRuns) {
  const lathe_cpu_executable *executable = load(compile(addProgram(1), "x86-64-v3"));
  ASSERT_NE(executable, nullptr);
  EXPECT_EQ(executable->version, LATHE_CPU_EXECUTABLE_VERSION);
  ASSERT_EQ(executable->entry_count, 1u);
  EXPECT_STREQ(executable->entries[0].name, "decode");

  alignas(64) float arena[64] = {1, 2, 3, 4, 5};
  for (int i = 0; i < kColumns; ++i)
    arena[16 + i] = 10;
  void *buffers[LATHE_CPU_BUFFER_COUNT] = {};
  buffers[LATHE_CPU_ARENA] = arena;
  int32_t position = 0;
  buffers[LATHE_CPU_POSITIONS] = &position;
  lathe_cpu_host host{sizeof(host), nullptr, serialPool};
  lathe_cpu_call call{sizeof(call), &host, 1, 1, buffers};
  executable->entries[0].run(&call);
  EXPECT_THAT(std::vector<float>(arena + 32, arena + 37), testing::ElementsAre(11, 12, 13, 14, 15));
}

TEST(MakeSharedObject, sharesCodeAmongEqualRegions) {
  size_t one = compile(addProgram(1), "x86-64-v3").size(),
         many = compile(addProgram(100), "x86-64-v3").size();
  EXPECT_LT(many, one + 100 * 200) << "a hundred equal regions should cost table entries only";
}

TEST(MakeSharedObject, makesCodeForEveryLevel) {
  for (const Level &level : levels())
    EXPECT_GT(compile(addProgram(1), level.name.data()).size(), 0u) << level.name.str();
}

} // namespace
} // namespace lathe::x86
