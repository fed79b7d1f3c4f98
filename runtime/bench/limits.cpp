// Peaks are loops of independent instructions over registers that hold zeros. They are assembly:
// this file is compiled for the lowest level, and compilers fold such loops.
#include "runtime/bench/limits.h"

#include <algorithm>
#include <chrono>

#include "base/status.h"
#include "runtime/cpu/features.h"

namespace lathe::runtime {
namespace {

// Each works on register n, of r: ymm or zmm.
#define LATHE_FMA(n, r) "vfmadd231ps %%" r "mm15, %%" r "mm15, %%" r "mm" #n "\n"
#define LATHE_WORDS(n, r)                                                                          \
  "vpmaddwd %%" r "mm15, %%" r "mm15, %%" r "mm14\nvpaddd %%" r "mm14, %%" r "mm" #n ", %%" r      \
  "mm" #n "\n"
#define LATHE_DOTS(n, r) "vpdpbusd %%" r "mm15, %%" r "mm15, %%" r "mm" #n "\n"
// clang-format off
#define LATHE_TWELVE(OP, r)                                                                        \
  OP(0, r) OP(1, r) OP(2, r) OP(3, r) OP(4, r) OP(5, r)                                            \
  OP(6, r) OP(7, r) OP(8, r) OP(9, r) OP(10, r) OP(11, r)
// clang-format on
#define LATHE_VECTOR_LOOP(OP, r)                                                                   \
  asm volatile("vzeroall\n1:\n" LATHE_TWELVE(OP, r)                                                \
                   LATHE_TWELVE(OP, r) "dec %0\njnz 1b\nvzeroupper\n"                              \
               : "+r"(rounds)                                                                      \
               :                                                                                   \
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",     \
                 "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

void noLoop(int64_t) {}
void avx2Loop(int64_t rounds) { LATHE_VECTOR_LOOP(LATHE_FMA, "y"); }
void avx512Loop(int64_t rounds) { LATHE_VECTOR_LOOP(LATHE_FMA, "z"); }
void wordsLoop(int64_t rounds) { LATHE_VECTOR_LOOP(LATHE_WORDS, "y"); }
void dotsLoop(int64_t rounds) { LATHE_VECTOR_LOOP(LATHE_DOTS, "z"); }

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

struct Loop {
  const char *name;
  void (*run)(int64_t rounds);
  double flops_per_round;
};
// By Arithmetic.
constexpr Loop kLoops[] = {{"", noLoop, 0},
                           {"f32 vectors", avx2Loop, 24 * 8 * 2},
                           {"f32 vectors", avx512Loop, 24 * 16 * 2},
                           {"bf16 tiles", tileLoop, 4 * 16 * 16 * 32 * 2},
                           {"16-bit integers", wordsLoop, 24 * 16 * 2},
                           {"8-bit integers", dotsLoop, 24 * 64 * 2}};
constexpr int64_t kRounds = 10000;
constexpr int kRuns = 20, kItemsOfAThread = 16;

const Loop &loopOf(Arithmetic arithmetic) { return kLoops[static_cast<size_t>(arithmetic)]; }

void runLoop(const void *context, int64_t begin, int64_t end) {
  for (int64_t item = begin; item < end; ++item)
    static_cast<const Loop *>(context)->run(kRounds);
}

} // namespace

std::string nameOf(Arithmetic arithmetic) { return loopOf(arithmetic).name; }

double measureFlops(Arithmetic arithmetic, ThreadPool &pool) {
  using Clock = std::chrono::steady_clock;
  const Loop &loop = loopOf(arithmetic);
  double best = 0;
  for (int i = 0, items = kItemsOfAThread * pool.threads(); i < kRuns; ++i) {
    Clock::time_point start = Clock::now();
    pool.run(runLoop, &loop, items);
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, loop.flops_per_round * kRounds * items / seconds);
  }
  return best;
}

Arithmetic arithmeticOf(const artifact::Target &target) {
  absl::StatusOr<CpuNeeds> needs = parseCpuNeeds(target.compatibility);
  uint32_t level = needs.ok() ? needs->levelCount() : 0;
  return static_cast<Arithmetic>(std::min(level, static_cast<uint32_t>(Arithmetic::tiles)));
}

absl::StatusOr<Limits> measureLimits(const Module &module) {
  Limits limits;
  limits.arithmetic = arithmeticOf(module.target());
  ThreadPool pool(static_cast<int>(module.device()->properties().parallelism));
  limits.flops = measureFlops(limits.arithmetic, pool);
  LATHE_ASSIGN_OR_RETURN(limits.read_bandwidth, measureReadBandwidth(module));
  return limits;
}

} // namespace lathe::runtime
