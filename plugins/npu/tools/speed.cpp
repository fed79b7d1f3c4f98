// npu-speed: how fast this host simulates, in the sizes of a tiny model. For eyes, not for tests.
#include "programs/gemm.h"
#include "programs/streams.h"
#include "sim/machine.h"

#include <cstdio>
#include <cstring>
#include <ctime>

namespace {

double milliseconds(npu::Machine &machine, const npu::Kernel &kernel, npu::LaunchOptions options,
                    unsigned runs) {
  std::vector<uint64_t> args;
  for (const npu::Arg &arg : kernel.args) {
    args.push_back(*machine.memory().allocate(arg.bytes));
    std::vector<std::byte> zeros(arg.bytes);
    (void)machine.write(args.back(), zeros);
  }
  std::clock_t begin = std::clock(); // of this process: other work on the host does not count
  for (unsigned i = 0; i < runs; ++i)
    if (auto report = machine.launch(kernel, args, 0, options); !report.ok())
      std::fprintf(stderr, "error: %s\n", report.message().c_str());
  return 1e3 * double(std::clock() - begin) / CLOCKS_PER_SEC / runs;
}

} // namespace

int main() {
  auto machine = std::move(*npu::Machine::create(*npu::builtinDevice("ascend-910b")));
  for (auto [m, n, k] : {std::array<unsigned, 3>{1, 192, 128}, {1, 1024, 256}, {128, 1024, 1024}})
    for (bool checks : {true, false}) {
      npu::GemmPlan plan{.m = m,
                         .n = n,
                         .k = k,
                         .out = npu::DType::F32,
                         .tileM = 16,
                         .tileN = 64,
                         .tileK = 64,
                         .stepK = 2};
      plan.tileM = m < 128 ? 16 : 128;
      npu::Kernel kernel = *npu::gemm(machine->device(), plan);
      double time =
          milliseconds(*machine, kernel, {.blocks = 2, .checks = checks}, m == 1 ? 200 : 10);
      std::printf("gemm f16 %u x %u x %u, %s: %.3f ms, %.2f ms a MFLOP\n", m, n, k,
                  checks ? "checked" : "unchecked", time, time / (2e-6 * m * n * k));
    }
  npu::Kernel add =
      *npu::addKernel(machine->device(), {.type = npu::DType::F32, .count = 1 << 16, .tile = 1024});
  std::printf("add f32 65536: %.3f ms\n", milliseconds(*machine, add, {.blocks = 2}, 50));
  npu::Kernel one =
      *npu::addKernel(machine->device(), {.type = npu::DType::F32, .count = 64, .tile = 64});
  std::printf("add f32 64, a launch: %.3f ms\n", milliseconds(*machine, one, {.blocks = 1}, 200));
}
