// Peaks are loops of independent instructions over registers that hold zeros. They are assembly:
// this file is compiled for the lowest level, and compilers fold such loops.
#include "tests/bench/machine.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/bench/bench.h"
#include "runtime/cpu/device.h"
#include "runtime/cpu/features.h"

namespace lathe::bench {
namespace {

constexpr int kRepetitions = 5;

#define LATHE_FMA(n, r) "vfmadd231ps %%" r "mm15, %%" r "mm15, %%" r "mm" #n "\n"
// clang-format off
#define LATHE_FMA12(r)                                                                             \
  LATHE_FMA(0, r) LATHE_FMA(1, r) LATHE_FMA(2, r) LATHE_FMA(3, r) LATHE_FMA(4, r) LATHE_FMA(5, r)  \
  LATHE_FMA(6, r) LATHE_FMA(7, r) LATHE_FMA(8, r) LATHE_FMA(9, r) LATHE_FMA(10, r) LATHE_FMA(11, r)
// clang-format on
#define LATHE_VECTOR_LOOP(r)                                                                       \
  asm volatile("vzeroall\n1:\n" LATHE_FMA12(r) LATHE_FMA12(r) "dec %0\njnz 1b\nvzeroupper\n"       \
               : "+r"(rounds)                                                                      \
               :                                                                                   \
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",     \
                 "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

void avx2Loop(int64_t rounds) { LATHE_VECTOR_LOOP("y"); }
void avx512Loop(int64_t rounds) { LATHE_VECTOR_LOOP("z"); }

// Eight tiles of 16 rows of 64 bytes; four sums that do not wait for one another.
void tileLoop(int64_t rounds) {
  alignas(64) uint8_t config[64] = {1};
  for (int tile = 0; tile < 8; ++tile)
    config[16 + 2 * tile] = 64, config[48 + tile] = 16;
  asm volatile("ldtilecfg %1\n1:\n"
               "tdpbf16ps %%tmm5, %%tmm4, %%tmm0\ntdpbf16ps %%tmm7, %%tmm4, %%tmm1\n"
               "tdpbf16ps %%tmm5, %%tmm6, %%tmm2\ntdpbf16ps %%tmm7, %%tmm6, %%tmm3\n"
               "dec %0\njnz 1b\ntilerelease\n"
               : "+r"(rounds)
               : "m"(config)
               : "cc", "memory");
}

struct Peak {
  void (*loop)(int64_t rounds);
  double flops_per_round;
};
constexpr Peak kAvx2{avx2Loop, 24 * 8 * 2}, kAvx512{avx512Loop, 24 * 16 * 2},
    kTiles{tileLoop, 4 * 16 * 16 * 32 * 2};
constexpr int64_t kRounds = 10000;

void runPeak(const void *context, int64_t begin, int64_t end) {
  for (int64_t item = begin; item < end; ++item)
    static_cast<const Peak *>(context)->loop(kRounds);
}

double measurePeak(const Peak &peak, runtime::ThreadPool &pool) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int i = 0, items = 16 * pool.threads(); i < 4 * kRepetitions; ++i) {
    Clock::time_point start = Clock::now();
    pool.run(runPeak, &peak, items);
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, peak.flops_per_round * kRounds * items / seconds);
  }
  return best;
}

} // namespace

absl::StatusOr<Machine> Machine::measure(runtime::ThreadPool &pool) {
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<runtime::Device> device,
                         runtime::createCpuDevice({/*threads=*/1}));
  Machine machine;
  machine.name = absl::StrCat(device->properties().name, ", ", pool.threads(), " threads");
  LATHE_ASSIGN_OR_RETURN(
      machine.read_bandwidth,
      runtime::measureReadBandwidth(pool.threads(),
                                    runtime::bandwidthBytes(device->properties().memory_bytes),
                                    kRepetitions));
  uint32_t levels = runtime::CpuFeatures::ofThisMachine().levelCount();
  if (levels >= 1)
    machine.avx2_flops = measurePeak(kAvx2, pool);
  if (levels >= 2)
    machine.avx512_flops = measurePeak(kAvx512, pool);
  if (levels >= 3)
    machine.tile_flops = measurePeak(kTiles, pool);
  return machine;
}

} // namespace lathe::bench
